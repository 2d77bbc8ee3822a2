// SPDX-License-Identifier: MIT
// See shelf.h.

#include "tests/server/files/shelf.h"

#include <stdio.h>
#include <string.h>

const char *shelf_upload(struct plant *p, const char *name, const char *csv)
{
    char *digest = arena_need(&p->arena, DATASET_DIGEST, 1);
    ck_assert_msg(plant_upload(p, name, csv, digest, &p->arena, &p->err), "%s", p->err.text);
    return digest;
}

bool shelf_has(struct plant *p, const char *digest)
{
    struct dataset_info info;
    return dataset_describe(p->files, digest, &info, &p->arena, &(struct err){0});
}

void shelf_put(const struct plant *p, const char *name)
{
    FILE *f = fopen(plant_path(p, name), "w");
    ck_assert_ptr_nonnull(f);
    fclose(f);
}

const char *shelf_save(struct plant *p, const char *weights)
{
    char *digest = arena_need(&p->arena, DIGEST_TEXT, 1);
    const struct digest_part file[] = {{"head", 4}, {weights, strlen(weights)}};
    digest_of(file, 2, digest);
    NEED_IN(p, model_store_save(p->files, file, digest, NULL, &p->err));
    return digest;
}
