// SPDX-License-Identifier: MIT
// Only system calls in preinit(): nothing is set up yet. See preinit.h.

#include "server/base/preinit.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define THREADS_VARIABLE "OPENBLAS_NUM_THREADS="

enum { BUFFER = 128 << 20, MARGIN = 1 << 20, VARIABLES = 4096, PATH = 4096 };

static bool preinit_has_room(void)
{
    const size_t size = BUFFER + MARGIN;
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at != MAP_FAILED && munmap(at, size) == 0;
}

static void preinit_refuse(void)
{
    static const char text[] = "mlpd: no room for the matrix library, which needs 128 MiB of "
                               "address space and more; raise the limit (ulimit -v)\n";
    ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
    _exit(written < 0 ? 2 : 1);
}

// The environment with one thread in it; NULL when it is there already or does not fit.
static char **with_one_thread(char **envp)
{
    static char *env[VARIABLES], one[] = THREADS_VARIABLE "1";
    size_t n = 0;
    for (; *envp; envp++) {
        if (strcmp(*envp, one) == 0)
            return NULL;
        if (strncmp(*envp, THREADS_VARIABLE, strlen(THREADS_VARIABLE)) != 0)
            env[n++] = *envp;
        if (n + 1 == VARIABLES)
            return NULL;
    }
    env[n] = one;
    return env;
}

// A hangup does not end us, which is a matter of some milliseconds until the libraries are there:
// what is blocked waits for main(), as it does over execve(). A stop may well end us here.
static void hold_hangup(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

// By its path, which gives the process its name. Without /proc it goes on as it is.
static void start_again(char **argv, char **env)
{
    static const char self[] = "/proc/self/exe";
    static char path[PATH];
    if (readlink(self, path, sizeof path - 1) <= 0)
        return;
    execve(path, argv, env);
    execve(self, argv, env); // the file has been replaced meanwhile
}

void preinit(int argc, char **argv, char **envp)
{
    char **env = with_one_thread(envp);
    (void)argc;
    hold_hangup();
    if (!preinit_has_room())
        preinit_refuse();
    if (env)
        start_again(argv, env);
}

void preinit_again(const char *name, const char *value, char **argv)
{
    if (setenv(name, value, 1) == 0)
        start_again(argv, environ);
}
