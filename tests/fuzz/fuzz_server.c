// SPDX-License-Identifier: MIT
// Targets of server/: tables, and what a request's first lines say. Files go to a folder in memory
// where the system has one.

#include "tests/fuzz/fuzz_api.h"

#include "server/files/colfile.h"
#include "server/files/colfile_own.h"
#include "engine/table/csv.h"
#include "server/files/dataset.h"
#include "engine/table/infer.h"
#include "api/schema/job_schema.h"
#include "server/jobs/prepare.h"
#include "api/views/graph_doc.h"
#include "server/http/accept.h"
#include "server/http/router.h"
#include "server/handlers/handlers.h"
#include "server/handlers/server.h"
#include "server/http/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MEMORY = 64 << 20 };

const char *const fuzz_csv_words[] = {
    "a,b,c\n",  "1,2,3\n",  "\"a,b\"", "\"\"", "\r\n", "\r",    ";",    "\t",
    "|",        "NA",       "?",       "inf",  "nan",  "1e999", "0x10", "\xef\xbb\xbf",
    "\xc3\xa9", "\"x\ny\"", ",,,,",    "\"",   "true", "0.1",   NULL};
const char *const fuzz_uri_words[] = {
    "/jobs", "/models/", "/datasets", "/predict", "?",        "&",      "=",      "%20",
    "%2f",   "%00",      "%2e%2e",    "..",       "//",       "limit=", "after=", "status=",
    "name=", "version=", "+",         "#",        "http://x", NULL};
const char *const fuzz_accept_words[] = {"text/csv", "image/",   "*/*", ";q=",   "0.5",  "1.000",
                                         ";",        "charset=", "\"",  ",",     "\\\"", " ",
                                         "=",        "/",        "*",   "utf-8", NULL};
const char *const fuzz_wire_words[] = {"Host: x\r\n",
                                       "Content-Length: 3\r\n",
                                       "Transfer-Encoding: chunked\r\n",
                                       "\r\n\r\n",
                                       "\r\n",
                                       "\n",
                                       "\r",
                                       "0\r\n\r\n",
                                       "5\r\nhello\r\n",
                                       "GET / HTTP/1.1\r\n",
                                       "HEAD ",
                                       "POST ",
                                       "HTTP/1.0",
                                       "Connection: close\r\n",
                                       "Expect: 100-continue\r\n",
                                       "chunked",
                                       ", ",
                                       " :",
                                       "\t",
                                       " ",
                                       ";a=\"b\"",
                                       "18446744073709551616",
                                       "ffffffffffffffff",
                                       "-1",
                                       "0x10",
                                       "http://x/",
                                       "*",
                                       NULL};

// ---- Tables ----

void fuzz_csv_seeds(struct fuzz_seeds *s)
{
    char text[2048], rows[FUZZ_LENGTH];
    size_t n = 0;
    fuzz_seed_text(s, "a,b,y\n1,x,2\n2,y,4\n3,x,6\n4,y,8\n5,x,1\n6,y,3\n7,x,5\n8,z,7\n9,x,9\n");
    fuzz_seed_text(s, "name;\"quoted \"\"text\"\"\";y\r\n\"a\r\nb\";?;1\r\n;NA;2\r\nc;1e3;3\r\n");
    fuzz_seed_text(s, "1\t2\n3\t4\n5\t6\n7\t8\n");
    fuzz_seed_text(s, "\xef\xbb\xbf"
                      "a|b\n\n-0.5|\xc3\xa9\n+.5|1e-999\n");
    FILE *f = fopen("tests/data/iris_train.csv", "rb");
    if (f) {
        n = fread(text, 1, sizeof text, f);
        fclose(f);
    }
    fuzz_seed(s, text, n);
    for (size_t i = 0; i < FUZZ_LENGTH / 2; i += 16)
        memcpy(rows + i, "\"a\"\"\",12345,xyz\n", 16);
    fuzz_seed(s, rows, FUZZ_LENGTH / 2);
}

static bool count(void *rows, const struct csv_cell *cell, size_t n, size_t line, struct err *e)
{
    size_t *sum = rows;
    (void)line, (void)e;
    *sum = *sum * 31 + n;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < cell[i].len; k++)
            *sum = *sum * 31 + (unsigned char)cell[i].text[k];
    return true;
}

// A sum over all cells; whether the text was accepted, too.
static size_t cells_of(const char *text, size_t len, size_t piece)
{
    struct err e = {0};
    size_t sum = 0;
    struct csv *p = csv_new(count, &sum);
    bool ok = p != NULL;
    for (size_t at = 0; ok && at < len; at += piece)
        ok = csv_feed(p, text + at, len - at < piece ? len - at : piece, &e);
    ok = ok && csv_end(p, &e);
    csv_free(p);
    return ok ? sum : ~(size_t)0;
}

// A text so long that the parser has to move what it has not finished.
static void read_long(const char *text, size_t len)
{
    enum { TIMES = 9 };
    char *all = malloc(TIMES * len);
    BUG(!all);
    for (size_t i = 0; i < TIMES; i++)
        memcpy(all + i * len, text, len);
    size_t whole = cells_of(all, TIMES * len, TIMES * len);
    BUG(cells_of(all, TIMES * len, 1 + len * 2 / 3) != whole);
    free(all);
}

// The same cells however the text is cut, and its types.
void fuzz_cells_run(const char *text, size_t len)
{
    if (len > 8000)
        read_long(text, len);
    struct arena a;
    struct infer in;
    struct err e = {0};
    size_t whole = cells_of(text, len, len + 1);
    BUG(cells_of(text, len, 1 + len / 7) != whole);
    BUG(len < 2000 && cells_of(text, len, 1) != whole);
    arena_init(&a, MEMORY);
    infer_init(&in, &a);
    struct csv *p = csv_new(infer_record, &in);
    if (csv_feed(p, text, len, &e) && csv_end(p, &e))
        infer_end(&in, &e);
    csv_free(p);
    arena_release(&a);
}

static char path[64]; // of the folder, "" until there is one

// Whatever a run leaves in it is removed by the run.
static void remove_folder(void)
{
    static const char *const below[] = {"/tmp", "/datasets", "/models", ""};
    char name[96];
    for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
        snprintf(name, sizeof name, "%s%s", path, below[i]);
        rmdir(name);
    }
}

static struct files *folder(void)
{
    static struct files *files;
    struct err e = {0};
    if (*path)
        return files;
    strcpy(path, "/dev/shm/mlpd-fuzz-XXXXXX");
    if (!mkdtemp(path)) {
        strcpy(path, "/tmp/mlpd-fuzz-XXXXXX");
        BUG(!mkdtemp(path));
    }
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    files = files_new(dir);
    BUG(dir < 0 || !files_prepare(files, &e) || atexit(remove_folder) != 0);
    return files;
}

static bool upload(const char *text, size_t len, struct dataset_info *info, struct arena *a,
                   struct err *e)
{
    char digest[DATASET_DIGEST];
    struct ingest *in = ingest_begin(folder(), NULL, e);
    BUG(!in);
    if (!ingest_piece(in, text, len / 2, e) ||
        !ingest_piece(in, text + len / 2, len - len / 2, e) || !ingest_digest(in, digest, e)) {
        ingest_abort(in);
        return false;
    }
    return ingest_end(in, info, NULL, a, e);
}

// What a job does with a table before it trains: the last column is what it wants to know.
static void prepare(const struct dataset_info *info, struct arena *a)
{
    struct prepared p = {0};
    struct job_spec spec;
    struct faults f;
    struct err e = {0};
    struct model_file from = {0};
    struct train_rows rows;
    faults_init(&f, a);
    static const char text[] = "{\"dataset\":\"d\",\"target\":\"y\",\"model\":{\"layers\":[2]}}";
    BUG(!job_spec_read(text, sizeof text - 1, &spec, a, &f, &e));
    const char *const target[] = {info->column[info->n_column - 1].name};
    spec.prep.target = target;
    if (prepare_job(&p, folder(), info->digest, &spec, &from, NULL, a, &f, &e))
        prepare_rows(&p, p.split.train, p.split.n_train, &rows, NULL, a, &e);
}

void fuzz_csv_run(const char *text, size_t len)
{
    struct arena a;
    struct err e = {0};
    struct dataset_info info;
    arena_init(&a, MEMORY);
    if (upload(text, len, &info, &a, &e)) {
        prepare(&info, &a);
        BUG(!files_remove(folder(), SHELF_DATASETS, info.digest, &e));
    } else {
        BUG(e.kind != ERR_INVALID && e.kind != ERR_TOO_LARGE);
    }
    arena_release(&a);
}

// ---- Stored tables ----

static void seed_column(struct fuzz_seeds *s, const char *csv)
{
    struct arena a;
    struct err e = {0};
    struct dataset_info info;
    char name[256], bytes[FUZZ_LENGTH];
    arena_init(&a, MEMORY);
    BUG(!upload(csv, strlen(csv), &info, &a, &e));
    folder();
    snprintf(name, sizeof name, "%s/datasets/%s.col", path, info.digest);
    FILE *f = fopen(name, "rb");
    BUG(!f);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    fuzz_seed(s, bytes, n);
    files_remove(folder(), SHELF_DATASETS, info.digest, &e);
    arena_release(&a);
}

void fuzz_column_seeds(struct fuzz_seeds *s)
{
    seed_column(s, "a,b,y\n1,x,2\n2,y,4\n3,x,6\n,,\n");
    seed_column(s, "a\nx\ny\nz\n");
}

// Checksums would stop nearly everything at the door, so those of head and table are put right.
static void mend_sums(char *bytes, size_t len)
{
    struct colfile_head h;
    if (len < sizeof h)
        return;
    memcpy(&h, bytes, sizeof h);
    if (h.table_at <= len && h.table_len == len - h.table_at && h.table_at % 8 == 0 &&
        h.table_len % 8 == 0)
        h.table_sum =
            colfile_sum(1, (const uint64_t *)(const void *)(bytes + h.table_at), h.table_len / 8);
    h.sum = colfile_sum(1, &h.magic, sizeof h / 8 - 1);
    memcpy(bytes, &h, sizeof h);
}

static void load(const char *bytes, size_t len)
{
    struct arena a;
    struct err e = {0};
    struct frame frame;
    struct column *column;
    struct colfile_size size;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    BUG(fd < 0 || pwrite(fd, bytes, len, 0) != (ssize_t)len);
    arena_init(&a, MEMORY);
    colfile_describe(fd, &size, &column, &a, &e);
    if (colfile_load(fd, &frame, NULL, &a, &e))
        for (size_t i = 0; i < frame.n_column; i++)
            BUG(!frame.column[i].name);
    arena_release(&a);
    close(fd);
}

void fuzz_column_run(const char *bytes, size_t len)
{
    load(bytes, len);
    char *copy = aligned_alloc(8, (len + 8) / 8 * 8);
    BUG(!copy);
    memcpy(copy, bytes, len);
    mend_sums(copy, len);
    load(copy, len);
    free(copy);
}

// ---- Requests ----

void fuzz_uri_seeds(struct fuzz_seeds *s)
{
    static const char *const uri[] = {"/",
                                      "/jobs?limit=3&after=17&status=queued",
                                      "/models/a%20b/predict",
                                      "/jobs/12/metrics",
                                      "/datasets?name=x+y",
                                      "/models/m/graph?graph=loss&format=svg&version=2",
                                      "/%F0%9F%98%80",
                                      "/predict",
                                      "*",
                                      "http://x/jobs"};
    for (size_t i = 0; i < sizeof uri / sizeof *uri; i++)
        fuzz_seed_text(s, uri[i]);
}

void fuzz_uri_run(const char *text, size_t len)
{
    struct arena a;
    struct err e = {0};
    struct target t;
    struct router r = {route_table, route_count};
    struct router_match match;
    char allow[ALLOW_TEXT];
    (void)len;
    arena_init(&a, MEMORY);
    if (target_parse(&t, text, &a, &e)) {
        router_allow(&r, &t, allow);
        for (int m = 0; m < METHOD_COUNT; m++) {
            struct err why = {0};
            const struct route *row = router_find(&r, (enum method)m, &t, &match, &why);
            struct faults faults;
            faults_init(&faults, &a);
            if (row)
                BUG(!router_read_query(row, &t, &a, &faults, &why) != !!why.kind);
        }
    } else {
        BUG(e.kind != ERR_MALFORMED);
    }
    arena_release(&a);
}

void fuzz_accept_seeds(struct fuzz_seeds *s)
{
    fuzz_seed_text(s, "text/html, application/xhtml+xml;q=0.9, image/svg+xml, */*;q=0.8");
    fuzz_seed_text(s, "text/csv;charset=utf-8;q=0.5,application/json;a=\"x,\\\"y\";q=0.123");
    fuzz_seed_text(s, "image/*;q=0, text/*;q=1.000");
}

// Whatever is said, the answer is one of the forms or none; a value split over two lines at a comma
// says the same.
void fuzz_accept_run(const char *text, size_t len)
{
    struct head h = {.n_line = 0};
    struct err e = {0};
    (void)len;
    BUG(!head_add(&h, "Accept", text, &e));
    const struct rendering *r = accept_choose(&h, graph_renderings);
    BUG(r && rendering_find(graph_renderings, r->name) != r);
    BUG(!head_add(&h, "Accept", ", ,", &e) || accept_choose(&h, graph_renderings) != r);
}

void fuzz_wire_seeds(struct fuzz_seeds *s)
{
    fuzz_seed_text(s, "GET /jobs?limit=3 HTTP/1.1\r\nHost: localhost:8080\r\nAccept: */*\r\n\r\n");
    fuzz_seed_text(s, "POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                      "Content-Length: 2\r\n\r\n{}GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    fuzz_seed_text(s, "POST /datasets?name=a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                      "\r\n4;a=b\r\na,b\n\r\n04\r\n1,2\n\r\n0\r\nA: b\r\n\r\n");
    fuzz_seed_text(
        s, "\r\nHEAD http://x/a HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\n"
           "Origin: http://x\r\nSec-Fetch-Site: same-origin\r\n\r\n");
}

// A socket that gives at most `step` bytes at a time, then nothing for now.
struct script {
    const char *at;
    size_t left, step;
};

static ssize_t give(void *ctx, void *to, size_t room)
{
    struct script *s = ctx;
    size_t n = s->left < s->step ? s->left : s->step;
    n = n < room ? n : room;
    memcpy(to, s->at, n);
    s->at += n;
    s->left -= n;
    errno = EAGAIN;
    return n ? (ssize_t)n : -1;
}

enum { SAID = 4 * FUZZ_LENGTH }; // what the library reads may be longer than what was sent

// All that the library would read, every request answered at once.
static size_t heard(const char *text, size_t len, size_t step, char *out, struct err *fault)
{
    struct wire w;
    struct script s = {text, len, step};
    size_t n = 0;
    BUG(!wire_init(&w));
    for (int idle = 0; idle < 2 && w.state != WIRE_REFUSED;) {
        ssize_t got = wire_read(&w, give, &s, out + n, SAID - n < 777 ? SAID - n : 777);
        n += got > 0 ? (size_t)got : 0;
        idle = got > 0 || s.left ? 0 : idle + 1;
        if (w.state == WIRE_WHOLE) {
            wire_next(&w);
            idle = 0;
        }
        if (n == SAID)
            break;
    }
    for (ssize_t got; n < SAID && (got = wire_read(&w, give, &s, out + n, SAID - n)) > 0;)
        n += (size_t)got;
    *fault = w.fault;
    wire_release(&w);
    return n;
}

// The same whatever the cuts; and what the library reads is sound by our own measure, word for
// word.
void fuzz_wire_run(const char *text, size_t len)
{
    static char whole[SAID], pieces[SAID], again[SAID];
    struct err fault, other;
    size_t n = heard(text, len, len + 1, whole, &fault);
    size_t m = heard(text, len, 1 + len / 11, pieces, &other);
    BUG(n != m || memcmp(whole, pieces, n) != 0 || fault.kind != other.kind);
    m = heard(text, len, 1, pieces, &other);
    BUG(n != m || memcmp(whole, pieces, n) != 0 || fault.kind != other.kind);
    m = heard(whole, n, n + 1, again, &other);
    BUG(n != m || memcmp(whole, again, n) != 0 || other.kind != ERR_NONE);
}
