// SPDX-License-Identifier: MIT
// The fuzzer's loop. `build/fuzz/fuzz` takes every target, `fuzz TARGET` one, `fuzz TARGET FILE`
// runs a single input again. FUZZ is the number of inputs for each target, SEED what they are drawn
// from: with the same two the same inputs come, as far as coverage is the same.
//
// Each target runs in a process of its own, which puts every input into shared memory before it
// reads it. When it dies, or is silent for too long, the input is written to a file. The compiler
// calls us at every branch (trace-pc), so an input that goes where none has gone joins the corpus.

#include "tests/fuzz/fuzz.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CORPUS = 4096, EDGES = 1 << 16, SILENCE_SECONDS = 60, TICK_MS = 100 };

// What the process that runs a target tells the one that watches it.
struct shared {
    atomic_ulong done;
    atomic_size_t corpus, edges;
    atomic_bool leaked;
    size_t len;
    char input[FUZZ_LENGTH + 1];
};

static struct shared *shared;
static unsigned char edge[EDGES];
static size_t n_edge; // seen so far
static struct fuzz_text corpus[CORPUS];
static size_t n_corpus;

extern char __executable_start;
void __sanitizer_cov_trace_pc(void);
int __lsan_do_recoverable_leak_check(void);
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1:abort_on_error=1:detect_leaks=1";
}

void __sanitizer_cov_trace_pc(void)
{
    static _Thread_local uintptr_t before;
    uintptr_t at = (uintptr_t)__builtin_return_address(0) - (uintptr_t)&__executable_start;
    size_t i = (at ^ before) * UINT64_C(0x9E3779B97F4A7C15) >> 48;
    before = at >> 1;
    n_edge += !edge[i];
    edge[i] = 1;
}

static struct fuzz_text copy_of(const void *bytes, size_t len)
{
    char *own = malloc(len + 1);
    if (!own)
        abort();
    memcpy(own, bytes, len);
    own[len] = '\0';
    return (struct fuzz_text){own, len};
}

void fuzz_seed(struct fuzz_seeds *s, const void *bytes, size_t len)
{
    if (s->n == FUZZ_SEEDS || len > FUZZ_LENGTH)
        abort();
    s->text[s->n++] = copy_of(bytes, len);
}

void fuzz_seed_text(struct fuzz_seeds *s, const char *text)
{
    fuzz_seed(s, text, strlen(text));
}

static unsigned long number_of(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoul(text, NULL, 10) : otherwise;
}

// On the heap and no longer than it is, so that a byte read too far is a report.
static void run(const struct fuzz_target *t, const char *bytes, size_t len)
{
    struct fuzz_text input = copy_of(bytes, len);
    shared->len = len;
    memcpy(shared->input, bytes, len);
    t->run(input.at, len);
    free((char *)input.at);
}

static void keep(const char *bytes, size_t len)
{
    if (n_corpus < CORPUS)
        corpus[n_corpus++] = copy_of(bytes, len);
}

static void begin_with(const struct fuzz_target *t)
{
    struct fuzz_seeds s = {.n = 0};
    t->seeds(&s);
    for (size_t i = 0; i < s.n; i++) {
        run(t, s.text[i].at, s.text[i].len);
        corpus[n_corpus++] = s.text[i];
    }
}

static struct fuzz_rng rng_of(unsigned long seed, const char *name, unsigned long i)
{
    struct fuzz_rng r = {seed};
    for (; *name; name++)
        r.state = r.state * 31 + (unsigned char)*name;
    r.state ^= (unsigned long long)i * 0xD1B54A32D192ED03u;
    fuzz_below(&r, 1);
    return r;
}

// In the target's own process.
static void work(const struct fuzz_target *t, unsigned long n, unsigned long seed)
{
    static char text[FUZZ_LENGTH + 1];
    begin_with(t);
    for (unsigned long i = 0; i < n; i++) {
        struct fuzz_rng r = rng_of(seed, t->name, i);
        const struct fuzz_text *from = &corpus[fuzz_below(&r, n_corpus)],
                               *other = &corpus[fuzz_below(&r, n_corpus)];
        size_t len = from->len, before = n_edge;
        memcpy(text, from->at, len);
        fuzz_mutate(&r, text, &len, other, t->words);
        run(t, text, len);
        if (n_edge > before)
            keep(text, len);
        atomic_store(&shared->done, i + 1);
        atomic_store(&shared->corpus, n_corpus);
        atomic_store(&shared->edges, n_edge);
    }
    atomic_store(&shared->leaked, __lsan_do_recoverable_leak_check() != 0);
    exit(shared->leaked);
}

// Wait for the end; a process that has made no progress for long is ended.
static int watch(pid_t child, const char *name, unsigned long n)
{
    const struct timespec tick = {.tv_nsec = TICK_MS * 1000000L};
    unsigned long seen = 0;
    int status, silent = 0;
    bool shown = isatty(1);
    while (waitpid(child, &status, WNOHANG) == 0) {
        unsigned long done = atomic_load(&shared->done);
        silent = done == seen ? silent + 1 : 0;
        seen = done;
        if (silent * TICK_MS > SILENCE_SECONDS * 1000)
            kill(child, SIGKILL);
        if (shown)
            printf("\r%-10s %lu of %lu", name, done, n);
        fflush(stdout);
        nanosleep(&tick, NULL);
    }
    fputs(shown ? "\r" : "", stdout);
    return status;
}

static void save(const struct fuzz_target *t, const char *program)
{
    char file[96];
    snprintf(file, sizeof file, "fuzz-%s-%lu", t->name, atomic_load(&shared->done));
    FILE *f = fopen(file, "wb");
    if (f && fwrite(shared->input, 1, shared->len, f) == shared->len && fclose(f) == 0)
        printf("  its last input is in %s; run it again: %s %s %s\n", file, program, t->name, file);
    else
        printf("  its last input could not be written to %s\n", file);
}

static bool fuzz(const struct fuzz_target *t, unsigned long n, unsigned long seed,
                 const char *program)
{
    memset(shared, 0, sizeof *shared);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        work(t, n, seed);
    int status = child < 0 ? -1 : watch(child, t->name, n);
    printf("%-10s %8lu inputs, %4zu kept, %5zu branches: %s\n", t->name, atomic_load(&shared->done),
           atomic_load(&shared->corpus), atomic_load(&shared->edges),
           status == 0      ? "nothing found"
           : shared->leaked ? "LEAKED"
                            : "DIED");
    if (status != 0 && !shared->leaked)
        save(t, program);
    else if (status != 0)
        printf("  memory leaked; FUZZ=%lu SEED=%lu %s %s shows where\n", n, seed, program, t->name);
    return status == 0;
}

static int run_file(const struct fuzz_target *t, const char *path)
{
    static char text[FUZZ_LENGTH + 1];
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return 2;
    }
    size_t len = fread(text, 1, FUZZ_LENGTH, f);
    fclose(f);
    run(t, text, len);
    printf("%s reads %s (%zu bytes) and comes back\n", t->name, path, len);
    return 0;
}

int main(int argc, char **argv)
{
    unsigned long n = number_of("FUZZ", 20000), seed = number_of("SEED", 1);
    bool found = false, ok = true;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 2;
    for (size_t i = 0; i < fuzz_count; i++) {
        const struct fuzz_target *t = &fuzz_table[i];
        if (argc > 1 && strcmp(argv[1], t->name) != 0)
            continue;
        found = true;
        if (argc > 2)
            return run_file(t, argv[2]);
        ok = fuzz(t, n, seed, argv[0]) && ok;
    }
    for (size_t i = 0; !found && i < fuzz_count; i++)
        printf("%-10s %s\n", fuzz_table[i].name, fuzz_table[i].doc);
    return !found ? 2 : ok ? 0 : 1;
}
