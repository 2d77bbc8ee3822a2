// SPDX-License-Identifier: MIT
#include "server/base/preinit.h"

#include "tests/harness.h"

#include <pthread.h>
#include <signal.h>

// With this environment it goes on in the same program.
TEST(a_hangup_waits_until_somebody_listens)
{
    char *args[] = {"mlpd", NULL}, *env[] = {"OPENBLAS_NUM_THREADS=1", NULL};
    sigset_t before, now;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    ck_assert(!sigismember(&before, SIGHUP));
    preinit(1, args, env);
    pthread_sigmask(SIG_SETMASK, &before, &now);
    ck_assert(sigismember(&now, SIGHUP));
    ck_assert(!sigismember(&now, SIGTERM));
}
