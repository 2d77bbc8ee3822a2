// SPDX-License-Identifier: MIT
// Lines of JSON of charts, read back line by line.

#include "tests/api/views/chartlab.h"
#include "tests/harness.h"

#include <cJSON.h>
#include <float.h>
#include <math.h>
#include <string.h>

TEST(ndjson_has_an_object_an_epoch)
{
    static const char *const name[] = {"train_loss", "a\"\n", ""};
    struct chart *c = lab_chart(2, name);
    lab_set(c, 0, 0, 0.1);
    lab_set(c, 0, 1, NAN);
    lab_set(c, 1, 0, INFINITY);
    ck_assert_str_eq(lab_write(c, &chart_ndjson),
                     "{\"epoch\":1,\"step\":1,\"train_loss\":0.1,\"a\\\"\\n\":null}\n"
                     "{\"epoch\":2,\"step\":2,\"train_loss\":null,\"a\\\"\\n\":0}\n");
    ck_assert_str_eq(lab_write(lab_chart(0, name), &chart_ndjson), "");
}

static void check_line(const struct chart *c, size_t i, const cJSON *line)
{
    ck_assert_int_eq(cJSON_GetArraySize(line), 2 + (int)c->n_column);
    ck_assert_double_eq(cJSON_GetArrayItem(line, 0)->valuedouble, (double)c->epoch[i]);
    for (size_t k = 0; k < c->n_column; k++) {
        const cJSON *item = cJSON_GetArrayItem(line, 2 + (int)k);
        double v = c->value[i * c->n_column + k];
        ck_assert(!cJSON_IsNull(item) == isfinite(v));
        if (isfinite(v))
            ck_assert_double_eq(item->valuedouble, v);
    }
}

TEST(ndjson_reads_back_as_the_same_numbers)
{
    for (size_t at = 0; at < lab_odd_count(); at++) {
        const struct chart *c = lab_odd(at);
        const char *text = lab_write(c, &chart_ndjson);
        size_t i = 0;
        for (const char *end; *text; text = end + 1, i++) {
            end = strchr(text, '\n');
            cJSON *line = cJSON_ParseWithLength(text, (size_t)(end - text));
            ck_assert_msg(line, "%.*s", (int)(end - text), text);
            check_line(c, i, line);
            cJSON_Delete(line);
        }
        ck_assert_uint_eq(i, c->n);
    }
}
