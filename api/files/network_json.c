// SPDX-License-Identifier: MIT
// See network_json.h. A change of these rows that older files do not bear is a new VERSION. An op
// that gets another name keeps the old one as an alias of its row.

#include "api/files/network_json.h"

#include "api/schema/job_spec.h"
#include "api/schema/schema.h"
#include "engine/model/init.h"
#include "engine/nn/role.h"

#include <string.h>

enum { VERSION = 1 };

static const struct field file_layer_fields[] = {
    INT("units", struct layer_spec, units, .required = true, .min = 1, .max = UNITS_MAX),
    PICK("activation", struct layer_spec, activation, .table = &activation_table, .required = true),
    PICK("norm", struct layer_spec, norm, .table = &norm_table, .nullable = true, .required = true),
    REAL("dropout", struct layer_spec, dropout, .required = true, .min = 0, .max = 0.95),
    REAL("alpha_dropout", struct layer_spec, alpha_dropout, .required = true, .min = 0,
         .max = 0.95),
    INT("residual", struct layer_spec, residual, .required = true, .min = 0, .max = LAYERS_MAX),
    PICK("init", struct layer_spec, init, .table = &init_table, .nullable = true, .required = true),
    {0},
};
static const struct schema file_layer_schema = {
    .name = "FileLayer", .field = file_layer_fields, .size = sizeof(struct layer_spec)};

static const struct field network_fields[] = {
    INT("version", struct network, version, .required = true, .min = VERSION, .max = VERSION),
    LIST("layers", struct network, model.layer, model.n_layer, struct layer_spec,
         .of = FIELD_OBJECT, .sub = &file_layer_schema, .max = LAYERS_MAX, .required = true),
    PICK("init", struct network, model.init, .table = &init_table, .required = true),
    REAL("input_noise", struct network, model.input_noise, .required = true, .min = 0, .max = 1e3),
    REAL("input_dropout", struct network, model.input_dropout, .required = true, .min = 0,
         .max = 0.95),
    PICK("loss", struct network, loss, .table = &loss_table, .required = true),
    {0},
};
static const struct schema network_schema = {
    .name = "Network", .field = network_fields, .size = sizeof(struct network)};

void network_write(const struct model_spec *model, const struct pick *loss, struct jsonw *w)
{
    const struct network n = {VERSION, *model, *loss};
    schema_write(&network_schema, &n, w, NULL);
}

bool network_read(struct network *n, const char *json, struct arena *a, struct err *e)
{
    struct faults faults;
    struct err why = {0};
    faults_init(&faults, a);
    if (schema_read(&network_schema, json, strlen(json), n, a, &faults, &why))
        return true;
    bool theirs = why.kind == ERR_INVALID || why.kind == ERR_MALFORMED;
    return fail(e, theirs ? ERR_INVALID : why.kind,
                "the model file's \"network\" cannot be read: %s", why.text);
}
