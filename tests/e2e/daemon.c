// SPDX-License-Identifier: MIT
// See daemon.h. The first line on stdout says where the daemon listens, as its users read it; its
// end is waited for by polling, because a daemon that hangs must fail a test and not stop it.

#include "tests/e2e/daemon.h"

#include <check.h>
#include <dirent.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <fcntl.h>
#include <unistd.h>

#define FLAGS "--workers", "2", "--http-threads", "3", "--max-upload", "2m"

enum { ARGS = 16, STOP_MS = 15000, START_MS = 60000, POLL_MS = 2, PATH = 512 };

// The folder of this program, build/<mode>: the daemon is beside it, the sources two levels up.
static const char *here(void)
{
    static char path[PATH];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    ck_assert_int_gt(n, 0);
    path[n] = '\0';
    *strrchr(path, '/') = '\0';
    return path;
}

const char *source_path(const char *name)
{
    static char path[PATH * 2];
    snprintf(path, sizeof path, "%s/../../%s", here(), name);
    return path;
}

char *file_text(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    char *text = NULL;
    size_t n = 0, room = 4096, got;
    do {
        text = realloc(text, room *= 2);
        ck_assert_ptr_nonnull(text);
        got = fread(text + n, 1, room - n - 1, f);
        n += got;
    } while (got > 0);
    fclose(f);
    text[n] = '\0';
    if (len)
        *len = n;
    return text;
}

// Have another program in front on our terminal, which stops those behind it when they write there.
static void step_back(int terminal)
{
    struct termios t;
    tcgetattr(terminal, &t);
    t.c_lflag |= TOSTOP;
    tcsetattr(terminal, TCSANOW, &t);
    pid_t front = fork();
    if (front == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    setpgid(front, front);
    tcsetpgrp(terminal, front);
}

// What a child gets beside its arguments. 0: no limit.
struct surroundings {
    int out, err; // descriptors; err -1: neither
    rlim_t address_space, file_size;
    bool background;
};

static void limit(int what, rlim_t most)
{
    if (most)
        setrlimit(what, &(struct rlimit){most, most});
}

static pid_t launch_in(const struct surroundings *s, const char *const *args)
{
    int out = s->out, err = s->err;
    char program[PATH + 8];
    const char *argv[ARGS] = {program};
    snprintf(program, sizeof program, "%s/mlpd", here());
    for (size_t i = 0; args[i]; i++)
        argv[i + 1] = args[i];
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (isatty(err)) {
            setsid();
            ioctl(err, TIOCSCTTY, 0);
        }
        if (s->background)
            step_back(err);
        dup2(out, STDOUT_FILENO);
        dup2(err, STDERR_FILENO);
        if (err < 0)
            for (int fd = 0; fd <= STDERR_FILENO; fd++)
                close(fd);
        limit(RLIMIT_AS, s->address_space);
        limit(RLIMIT_FSIZE, s->file_size);
        execv(program, (char *const *)argv);
        _exit(127);
    }
    ck_assert_int_gt(pid, 0);
    if (out >= 0)
        close(out);
    return pid;
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000}, NULL);
}

// Milliseconds are polled away until the child has ended or the time is up.
static bool wait_end(pid_t pid, int *status, int ms)
{
    for (; ms > 0; ms -= POLL_MS) {
        if (waitpid(pid, status, WNOHANG) == pid)
            return true;
        nap();
    }
    return false;
}

// The last of what the daemon logged, in a buffer good until the next call.
static const char *log_end(const struct daemon *d)
{
    static char end[3000];
    size_t len = 0;
    char *text = file_text(d->log, &len);
    snprintf(end, sizeof end, "%s",
             text && len >= sizeof end ? text + len - sizeof end + 1
             : text                    ? text
                                       : "");
    free(text);
    return end;
}

// What a sanitizer or a check of ours said, in a buffer good until the next call; NULL when
// nothing.
static const char *log_report(const struct daemon *d)
{
    static const char *const bad[] = {"Sanitizer", "runtime error:", "mlpd: bug"};
    static char report[3000];
    char *text = file_text(d->log, NULL), *found = NULL;
    for (size_t i = 0; text && !found && i < sizeof bad / sizeof *bad; i++)
        if ((found = strstr(text, bad[i])))
            snprintf(report, sizeof report, "%s", found);
    free(text);
    return found ? report : NULL;
}

// Where no stdout tells of the port, the log does.
static void read_port_in_log(struct daemon *d)
{
    for (int ms = STOP_MS; ms > 0 && !d->port; ms -= POLL_MS) {
        char *log = file_text(d->value, NULL), *at = log ? strstr(log, "address=127.0.0.1:") : NULL;
        if (at)
            sscanf(at, "address=127.0.0.1:%d", &d->port);
        free(log);
        nap();
    }
    ck_assert_int_ne(d->port, 0);
}

static bool read_port(struct daemon *d, int out)
{
    char line[128];
    ck_assert_msg(poll(&(struct pollfd){.fd = out, .events = POLLIN}, 1, START_MS) == 1,
                  "nothing was said: %s", log_end(d));
    FILE *f = fdopen(out, "r");
    const char *got = fgets(line, sizeof line, f);
    fclose(f);
    return got && sscanf(line, "listening on http://127.0.0.1:%d", &d->port) == 1;
}

bool daemon_has_terminals(void)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), other = -1;
    if (fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0)
        other = open(ptsname(fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
    close(other);
    close(fd);
    return other >= 0;
}

static int open_terminal(struct daemon *d)
{
    d->terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    ck_assert(d->terminal >= 0 && !grantpt(d->terminal) && !unlockpt(d->terminal));
    int fd = open(ptsname(d->terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    return fd;
}

static int open_log(const struct daemon *d)
{
    int fd = open(d->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    return fd;
}

// Closes both descriptors.
static void launch_daemon(struct daemon *d, int out, int err, rlim_t address_space)
{
    const char *const args[] = {"--listen", "127.0.0.1:0", "--data", d->data,
                                FLAGS,      d->flag,       d->value, NULL};
    ck_assert_int_eq(d->pid, 0);
    d->port = 0;
    const struct surroundings around = {out, err, address_space, d->file_limit,
                                        d->streams == BACKGROUND};
    d->pid = launch_in(&around, args);
    if (err >= 0)
        close(err);
}

void daemon_launch(struct daemon *d)
{
    launch_daemon(d, open_log(d), open_log(d), 0);
}

static bool try_start(struct daemon *d, rlim_t address_space)
{
    int out[2], err;
    if (d->streams == CLOSED) {
        launch_daemon(d, -1, -1, address_space);
        read_port_in_log(d);
        return true;
    } else if (d->streams == TERMINAL || d->streams == BACKGROUND) {
        err = open_terminal(d);
        launch_daemon(d, dup(err), err, address_space);
        return read_port(d, dup(d->terminal));
    } else {
        ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
        launch_daemon(d, out[1], open_log(d), address_space);
        return read_port(d, out[0]);
    }
}

void daemon_restart(struct daemon *d)
{
    ck_assert_msg(try_start(d, 0), "the daemon did not start: %s", log_end(d));
}

void daemon_init(struct daemon *d)
{
    *d = (struct daemon){.dir = "/tmp/mlpd-e2e-XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(d->dir));
    snprintf(d->data, sizeof d->data, "%s/data", d->dir);
    snprintf(d->log, sizeof d->log, "%s/log", d->dir);
}

void daemon_start(struct daemon *d)
{
    daemon_init(d);
    daemon_restart(d);
}

bool daemon_start_within(struct daemon *d, size_t mib, const char **why)
{
    int status;
    daemon_init(d);
    if (try_start(d, (rlim_t)mib << 20))
        return true;
    ck_assert_int_eq(waitpid(d->pid, &status, 0), d->pid);
    d->pid = 0;
    *why = log_end(d);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 1, "ended with status %#x: %s",
                  (unsigned)status, *why);
    return false;
}

const char *daemon_try_stop(struct daemon *d)
{
    static char wrong[4000];
    int status;
    pid_t pid = d->pid;
    kill(pid, SIGTERM);
    if (!wait_end(pid, &status, STOP_MS)) {
        snprintf(wrong, sizeof wrong, "SIGTERM did not end it: %s", log_end(d));
        return wrong;
    }
    d->pid = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return log_report(d);
    snprintf(wrong, sizeof wrong, "ended with status %#x: %s", (unsigned)status, log_end(d));
    return wrong;
}

void daemon_stop(struct daemon *d)
{
    const char *wrong = daemon_try_stop(d);
    ck_assert_msg(!wrong, "%s", wrong);
}

void daemon_kill(struct daemon *d)
{
    kill(d->pid, SIGKILL);
    waitpid(d->pid, NULL, 0);
    d->pid = 0;
    const char *wrong = log_report(d);
    ck_assert_msg(!wrong, "%s", wrong);
}

int daemon_wait_end(struct daemon *d)
{
    int status;
    ck_assert_msg(wait_end(d->pid, &status, STOP_MS), "it did not end: %s", log_end(d));
    d->pid = 0;
    const char *wrong = log_report(d);
    ck_assert_msg(!wrong, "%s", wrong);
    return status;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

void daemon_remove(const struct daemon *d)
{
    nftw(d->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void daemon_end(struct daemon *d)
{
    if (d->pid)
        daemon_stop(d);
    daemon_remove(d);
}

size_t daemon_files(const struct daemon *d, const char *folder)
{
    char path[160];
    size_t n = 0;
    snprintf(path, sizeof path, "%s/%s", d->data, folder);
    DIR *dir = opendir(path);
    ck_assert_ptr_nonnull(dir);
    for (const struct dirent *entry; (entry = readdir(dir));)
        n += entry->d_type != DT_DIR;
    closedir(dir);
    return n;
}

void daemon_wait_files(const struct daemon *d, const char *folder, size_t n)
{
    for (int ms = 0; daemon_files(d, folder) != n && ms < STOP_MS; ms += POLL_MS)
        nap();
    ck_assert_uint_eq(daemon_files(d, folder), n);
}

int mlpd(const char *const *args, char *out, size_t room)
{
    int pipes[2], status;
    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    pid_t pid = launch_in(&(struct surroundings){.out = pipes[1], .err = pipes[1]}, args);
    FILE *f = fdopen(pipes[0], "r");
    size_t n = fread(out, 1, room - 1, f);
    out[n] = '\0';
    fclose(f);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
