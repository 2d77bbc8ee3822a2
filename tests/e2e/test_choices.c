// SPDX-License-Identifier: MIT
// Every word that the schema of a job lets a client choose is trained with once, found by walking
// GET /schema/job: an activation, loss or optimizer added tomorrow is tested tomorrow. No table
// suits every choice (a loss asks for its task), so each is offered several, iris first, and one
// has to take it.

#include "tests/e2e/scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHOICES = 1024, POINTER = 128 };

struct choices {
    struct choice {
        char at[POINTER]; // JSON Pointer into the definition
        cJSON *value;     // to be put there
    } item[CHOICES];
    size_t n;
};

static const char *const tables[] = {
    "{\"name\":\"choice\",\"dataset\":\"iris\",\"target\":\"species\",\"model\":{\"layers\":["
    "{\"units\":8}]},\"training\":{\"epochs\":2}}",
    "{\"name\":\"choice\",\"dataset\":\"iris\",\"target\":\"petal_width\",\"model\":{\"layers\":["
    "{\"units\":8}]},\"training\":{\"epochs\":2}}",
    "{\"name\":\"choice\",\"model\":{\"layers\":[{\"units\":8}]},\"training\":{\"epochs\":2},"
    "\"data\":{\"x\":[[1,\"u\"],[2,\"v\"],[3,\"u\"],[4,\"v\"],[5,null],[6,\"v\"],[7,\"u\"],"
    "[null,\"v\"],[9,\"u\"],[10,\"v\"],[11,\"u\"],[12,\"v\"]],"
    "\"y\":[\"a\",\"b\",\"a\",\"b\",\"a\",\"b\",\"a\",\"b\",\"a\",\"b\",\"a\",\"b\"]}}",
    "{\"name\":\"choice\",\"model\":{\"layers\":[{\"units\":8}]},\"training\":{\"epochs\":2},"
    "\"data\":{\"x\":[[1,\"u\"],[2,\"v\"],[3,\"u\"],[4,\"v\"],[5,null],[6,\"v\"],[7,\"u\"],"
    "[null,\"v\"],[9,\"u\"],[10,\"v\"],[11,\"u\"],[12,\"v\"]],"
    "\"y\":[1.5,2,3,4.25,5,6,7,8,9,10,11,12]}}",
    "{\"name\":\"choice\",\"model\":{\"layers\":[{\"units\":4}]},\"training\":{\"epochs\":2},"
    "\"data\":{\"x\":[[1],[2],[3],[4],[5],[6],[7],[8],[9],[10],[11],[12]],"
    "\"y\":[[0,1],[1,0],[0,0],[1,1],[0,1],[1,0],[0,0],[1,1],[0,1],[1,0],[0,0],[1,1]]}}",
    "{\"name\":\"choice\",\"model\":{\"layers\":[{\"units\":4}]},\"training\":{\"epochs\":2},"
    "\"task\":\"distribution\",\"data\":{\"x\":[[1],[2],[3],[4],[5],[6],[7],[8],[9],[10]],"
    "\"y\":[[0,1],[1,0],[0.5,0.5],[0.25,0.75],[0,1],[1,0],[0.5,0.5],[0.25,0.75],[0,1],[1,0]]}}",
};

static void add(struct choices *c, const char *at, cJSON *value)
{
    ck_assert_uint_lt(c->n, CHOICES);
    struct choice *item = &c->item[c->n++];
    strcpy(item->at, at);
    item->value = value;
}

// A branch that describes one choice in full: its name, and every option at its default.
static void add_object(struct choices *c, const char *at, const cJSON *branch)
{
    const cJSON *p, *def;
    cJSON *value = cJSON_CreateObject();
    cJSON_ArrayForEach(p, cJSON_GetObjectItem(branch, "properties"))
    {
        if ((def = cJSON_GetObjectItem(p, "const")) || (def = cJSON_GetObjectItem(p, "default")))
            cJSON_AddItemToObject(value, p->string, cJSON_Duplicate(def, true));
    }
    add(c, at, value);
}

static void walk(struct choices *c, const cJSON *schema, const char *at)
{
    const cJSON *p, *type = cJSON_GetObjectItem(schema, "type");
    char below[POINTER];
    if (cJSON_IsString(type) && strcmp(type->valuestring, "null") == 0)
        add(c, at, cJSON_CreateNull());
    if ((p = cJSON_GetObjectItem(schema, "const")))
        add(c, at, cJSON_Duplicate(p, true));
    cJSON_ArrayForEach(p, cJSON_GetObjectItem(schema, "enum")) add(c, at, cJSON_Duplicate(p, true));
    cJSON_ArrayForEach(p, cJSON_GetObjectItem(schema, "anyOf"))
    {
        if (json_at(p, "/properties/type/const"))
            add_object(c, at, p);
        else
            walk(c, p, at);
    }
    cJSON_ArrayForEach(p, cJSON_GetObjectItem(schema, "properties"))
    {
        snprintf(below, sizeof below, "%s/%s", at, p->string);
        walk(c, p, below);
    }
    snprintf(below, sizeof below, "%s/0", at);
    if ((p = cJSON_GetObjectItem(schema, "items")))
        walk(c, p, below);
}

// Put a value at a pointer, making the objects on the way; an array on the way is there already.
static void put(cJSON *json, const char *at, const cJSON *value)
{
    char key[POINTER];
    const char *rest = strchr(at + 1, '/');
    snprintf(key, sizeof key, "%.*s", rest ? (int)(rest - at - 1) : POINTER - 1, at + 1);
    if (cJSON_IsArray(json)) {
        put(cJSON_GetArrayItem(json, atoi(key)), rest, value);
        return;
    }
    if (rest && !cJSON_GetObjectItem(json, key))
        cJSON_AddItemToObject(json, key, cJSON_CreateObject());
    if (rest) {
        put(cJSON_GetObjectItem(json, key), rest, value);
        return;
    }
    cJSON_DeleteItemFromObject(json, key);
    cJSON_AddItemToObject(json, key, cJSON_Duplicate(value, true));
}

// Its number, or 0 when this table does not suit it.
static int offer(const struct choice *c, const char *table)
{
    cJSON *job = cJSON_Parse(table);
    put(job, c->at, c->value);
    char *body = cJSON_PrintUnformatted(job);
    const struct reply *r = http(scene(), "POST", "/jobs", body);
    ck_assert_msg(r->status == 201 || r->status == 422, "%s: %.600s", body, r->body);
    cJSON_free(body);
    cJSON_Delete(job);
    return r->status == 201 ? (int)number_at(r, "/id") : 0;
}

static void train_choice(const struct choice *c)
{
    bool taken = false;
    char *value = cJSON_PrintUnformatted(c->value);
    for (size_t i = 0; !taken && i < sizeof tables / sizeof *tables; i++) {
        int job = offer(c, tables[i]);
        taken |= job > 0;
        if (job)
            wait_status(scene(), job, "succeeded");
    }
    ck_assert_msg(taken, "no table suits %s at %s", value, c->at);
    cJSON_free(value);
}

static bool offers(const struct choices *c, const char *at, const char *word)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->item[i].at, at) == 0 && cJSON_IsString(c->item[i].value) &&
            strcmp(c->item[i].value->valuestring, word) == 0)
            return true;
    return false;
}

TEST(every_choice_of_the_schema_can_be_trained_with)
{
    struct choices c = {.n = 0};
    walk(&c, http(scene(), "GET", "/schema/job", NULL)->json, "");
    ck_assert(offers(&c, "/model/layers/0/activation", "gelu")); // the walk does get there
    ck_assert(offers(&c, "/model/layers/0/norm", "batch"));
    ck_assert(offers(&c, "/optimizer", "sgd") && offers(&c, "/schedule", "constant"));
    ck_assert(offers(&c, "/model/init", "torch") && offers(&c, "/loss", "binary_cross_entropy"));
    ck_assert(offers(&c, "/task", "distribution") && offers(&c, "/class_weight", "balanced"));
    for (size_t i = 0; i < c.n; i++) {
        train_choice(&c.item[i]);
        cJSON_Delete(c.item[i].value);
    }
}
