// SPDX-License-Identifier: MIT
#include "server/jobs/model_stored.h"

bool model_stored_read(struct model_file *f, const struct model_row *row, const char *bytes,
                       size_t len, struct arena *a, struct err *e)
{
    struct err why = {0};
    if (model_file_read(f, bytes, len, a, &why))
        return true;
    if (why.kind != ERR_INVALID && why.kind != ERR_MALFORMED)
        return err_pass(e, &why);
    return fail(
        e, ERR_INTERNAL,
        "the stored file of model \"%.64s\", version %lld, is damaged or of another version "
        "of this program: %.120s",
        row->name, (long long)row->version, why.text);
}
