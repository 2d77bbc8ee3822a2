// SPDX-License-Identifier: MIT
// The examples of README.md, api/README.md and every other page work as they stand. A ```sh block
// after a line "<!-- tested -->" is run by sh from the top of the source tree, with localhost:8080
// replaced by a fresh daemon's address; the blocks of a page share that daemon, in order. ```json
// blocks after "<!-- reply -->" lines are the last replies that the block above them prints: the
// same keys, values of the same types. Where a reply is shortened, the object or array has a "..."
// in it. Links to files and to headings lead somewhere.

#include "tests/e2e/client.h"

#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 16, ROOM = 1 << 18 };

struct block {
    const char *at; // first byte after the fence's line; NULL: there is none
    size_t len;
};

// The fenced block after a line with this mark; NULL when `until` comes first.
static struct block next_block(const char *from, const char *mark, const char *until)
{
    const char *at = strstr(from, mark);
    const char *fence = at ? strstr(at, "\n```") : NULL;
    const char *body = fence ? strchr(fence + 1, '\n') : NULL;
    const char *end = body ? strstr(body, "\n```") : NULL;
    if (!end || (until && at > until))
        return (struct block){NULL, 0};
    return (struct block){body + 1, (size_t)(end - body)};
}

static char *replace(const char *in, size_t len, const char *old, const char *new)
{
    char *out = calloc(1, len * 2 + 256), *at = out;
    for (const char *p = in; p < in + len;) {
        bool here = strncmp(p, old, strlen(old)) == 0;
        at = here ? stpcpy(at, new) : (*at = *p, at + 1);
        p += here ? strlen(old) : 1;
    }
    return out;
}

static void run_block(const struct daemon *d, struct block b, char *out)
{
    char *script = replace(b.at, b.len, "localhost:8080", text("127.0.0.1:%d", d->port));
    const char *path = text("%s/block.sh", d->dir), *err = text("%s/block.err", d->dir);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fprintf(f, "cd '%s'\n%s", source_path("."), script);
    fclose(f);
    FILE *sh = popen(text("sh -eu %s 2>%s", path, err), "r");
    size_t n = fread(out, 1, ROOM - 1, sh);
    out[n] = '\0';
    int status = pclose(sh);
    char *said = file_text(err, NULL);
    ck_assert_msg(status == 0, "status %#x of\n%s\n%.900s%.900s", status, script, out, said);
    free(said);
    free(script);
}

static bool like(const cJSON *shown, const cJSON *got);

static bool like_array(const cJSON *shown, const cJSON *got)
{
    const cJSON *item, *one = got->child;
    cJSON_ArrayForEach(item, shown)
    {
        if (cJSON_IsString(item) && strcmp(item->valuestring, "...") == 0)
            return true;
        if (!one || !like(item, one))
            return false;
        one = one->next;
    }
    return true;
}

static bool like_object(const cJSON *shown, const cJSON *got)
{
    const cJSON *member, *other;
    cJSON_ArrayForEach(member, shown)
    {
        other = cJSON_GetObjectItemCaseSensitive(got, member->string);
        if (strcmp(member->string, "...") != 0 && (!other || !like(member, other)))
            return false;
    }
    return cJSON_HasObjectItem(shown, "...") ||
           cJSON_GetArraySize(shown) == cJSON_GetArraySize(got);
}

static bool like(const cJSON *shown, const cJSON *got)
{
    if (cJSON_IsNull(shown) || cJSON_IsNull(got))
        return true;
    if (cJSON_IsBool(shown))
        return cJSON_IsBool(got);
    if ((shown->type & 0xff) != (got->type & 0xff))
        return false;
    return cJSON_IsObject(shown)  ? like_object(shown, got)
           : cJSON_IsArray(shown) ? like_array(shown, got)
                                  : true;
}

// The JSON values in a text, one after the other, other text between them skipped.
static size_t parse_all(const char *out, cJSON **reply)
{
    size_t n = 0;
    while (n < SHOWN && (out = strpbrk(out, "{["))) {
        const char *end = out + 1;
        cJSON *one = cJSON_ParseWithOpts(out, &end, false);
        if (one)
            reply[n++] = one;
        out = one ? end : out + 1;
    }
    return n;
}

// The replies shown between a block and the next one.
static size_t check_replies(const char *from, const char *until, const char *out)
{
    cJSON *got[SHOWN], *shown[SHOWN];
    size_t n_got = parse_all(out, got), n = 0;
    struct block b;
    while (n < SHOWN && (b = next_block(from, "<!-- reply -->", until)).at) {
        char *json = strndup(b.at, b.len);
        shown[n] = cJSON_Parse(json);
        ck_assert_msg(shown[n] != NULL, "this reply is no JSON: %s", json);
        free(json);
        from = b.at;
        n++;
    }
    ck_assert_msg(n <= n_got, "%zu replies are shown, %zu came: %s", n, n_got, out);
    for (size_t i = 0; i < n; i++) {
        char *print = cJSON_Print(shown[i]);
        ck_assert_msg(like(shown[i], got[n_got - n + i]), "shown:\n%s\ncame:\n%s", print, out);
        cJSON_free(print);
        cJSON_Delete(shown[i]);
    }
    for (size_t i = 0; i < n_got; i++)
        cJSON_Delete(got[i]);
    return n;
}

static int run_examples(const struct daemon *d, const char *page)
{
    static const char mark[] = "<!-- tested -->";
    static char out[ROOM];
    struct block b;
    int n = 0;
    for (; (b = next_block(page, mark, NULL)).at; page = b.at, n++) {
        run_block(d, b, out);
        check_replies(b.at, strstr(b.at, mark), out);
    }
    return n;
}

// Pages lie at the top and one folder below it.
static void find_pages(glob_t *page)
{
    ck_assert_int_eq(glob(source_path("*.md"), 0, NULL, page), 0);
    ck_assert_int_eq(glob(source_path("*/*.md"), GLOB_APPEND, NULL, page), 0);
}

TEST(the_examples_of_every_page_work)
{
    glob_t page;
    int n = 0;
    find_pages(&page);
    for (size_t i = 0; i < page.gl_pathc; i++) {
        char *said = file_text(page.gl_pathv[i], NULL);
        if (strstr(said, "<!-- tested -->")) {
            struct daemon d;
            daemon_start(&d);
            n += run_examples(&d, said);
            daemon_end(&d);
        }
        free(said);
    }
    globfree(&page);
    ck_assert_int_ge(n, 20); // README.md and api/README.md, and none has lost its marks
}

// What is more than ten minutes' reading has a page of its own.
TEST(the_readme_is_short)
{
    size_t len;
    free(file_text(source_path("README.md"), &len));
    ck_assert_uint_le(len, 18 << 10);
}

// Whether a page has the heading, by the anchor that the sites that show Markdown make of it: small
// letters, digits, and a dash for every blank.
static bool has_heading(const char *page, const char *anchor, size_t len)
{
    for (const char *at = page; (at = strstr(at, "\n#"));) {
        size_t n = 0;
        at += 1 + strspn(at + 1, "# ");
        bool same = true;
        for (; *at && *at != '\n'; at++)
            if (isalnum((unsigned char)*at) || strchr(" -_", *at)) {
                int c = *at == ' ' ? '-' : tolower((unsigned char)*at);
                same = same && n < len && anchor[n] == c;
                n++;
            }
        if (same && n == len)
            return true;
    }
    return false;
}

// A link as it stands between the brackets: FILE, FILE#HEADING or #HEADING.
static bool leads_somewhere(const char *page, const char *link, size_t len)
{
    const char *folder_end = strrchr(page, '/'), *mark = memchr(link, '#', len);
    size_t file = mark ? (size_t)(mark - link) : len;
    char *target =
        file ? file_text(text("%.*s/%.*s", (int)(folder_end - page), page, (int)file, link), NULL)
             : file_text(page, NULL);
    bool ok = target && (!mark || has_heading(target, mark + 1, len - file - 1));
    free(target);
    return ok;
}

TEST(the_links_of_every_page_lead_somewhere)
{
    glob_t page;
    find_pages(&page);
    for (size_t i = 0; i < page.gl_pathc; i++) {
        char *said = file_text(page.gl_pathv[i], NULL);
        for (const char *at = said; (at = strstr(at, "](")); at++) {
            size_t len = strcspn(at + 2, ")");
            ck_assert_msg(strncmp(at + 2, "https://", 8) == 0 ||
                              leads_somewhere(page.gl_pathv[i], at + 2, len),
                          "%s: the link %.*s leads nowhere", page.gl_pathv[i], (int)len, at + 2);
        }
        free(said);
    }
    globfree(&page);
    ck_assert(!has_heading("\n## Errors and more\n", "errors", 6));
    ck_assert(has_heading("\n## Start, logs\n", "start-logs", 10));
}

// The runner itself, on a page of its own.
TEST(an_example_is_run_and_its_replies_are_compared)
{
    static const char page[] =
        "text\n<!-- tested -->\n```sh\ncurl -s localhost:8080/healthz\n"
        "curl -s localhost:8080/datasets\n```\nanswers\n<!-- reply -->\n```json\n"
        "{\"status\":\"ok\",\"version\":\"9\"}\n```\n<!-- reply -->\n```json\n"
        "{\"object\":\"list\",\"...\":0}\n```\n<!-- tested -->\n```sh\ntest -d engine\n```\n";
    struct daemon d;
    daemon_start(&d);
    ck_assert_int_eq(run_examples(&d, page), 2);
    daemon_end(&d);
    cJSON *got[SHOWN];
    ck_assert_uint_eq(parse_all("x {\"a\":[1]}{\"b\":{}}\nrest", got), 2);
    cJSON *shown = cJSON_Parse("{\"a\":[\"text\"]}"), *more = cJSON_Parse("{\"a\":[1],\"b\":1}");
    ck_assert(!like(shown, got[0]) && !like(shown, got[1]) && !like(got[0], more));
    ck_assert(like(got[0], got[0]) && !like(more, got[0]));
    cJSON_Delete(shown);
    cJSON_Delete(more);
    for (int i = 0; i < 2; i++)
        cJSON_Delete(got[i]);
}
