// SPDX-License-Identifier: MIT
// A job watched to its end. In a terminal one line is drawn over and over; elsewhere a line is
// printed whenever another twentieth of the epochs is done, so that a log stays readable. The
// daemon is asked for the job, and for the epochs that are new since the last look.

#include "clients/cli/cli.h"

#include "clients/cli/cli_json.h"

#include <math.h>
#include <string.h>
#include <time.h>

enum { LOOKS_PER_SECOND = 8, BAR_LEAST = 8, BAR_MOST = 40, LINES_PRINTED = 20 };

struct watch {
    struct cli *c;
    const char *id;
    double epoch, train_loss, val_loss; // the newest epoch whose losses are known
    double printed;                     // epoch of the last plain line
    bool drawn;                         // the cursor stands behind a drawn line
};

static void pause_between_looks(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000000L / LOOKS_PER_SECOND}, NULL);
}

static double last_of(const cJSON *columns, const char *name)
{
    const cJSON *column = cJSON_GetObjectItemCaseSensitive(columns, name);
    return json_number_at(column, cJSON_GetArraySize(column) - 1);
}

// Learn the losses of the newest epoch. False when the daemon could not be asked.
static bool look_at_losses(struct watch *w)
{
    char query[64];
    snprintf(query, sizeof query, "/metrics?after_epoch=%.0f", w->epoch);
    cJSON *reply =
        http_json(&w->c->http, &(struct request){.path = "/jobs/", .name = w->id, .rest = query});
    const cJSON *columns = cJSON_GetObjectItemCaseSensitive(reply, "columns");
    double epoch = last_of(columns, "epoch");
    if (!isnan(epoch)) {
        w->epoch = epoch;
        w->train_loss = last_of(columns, "train_loss");
        w->val_loss = last_of(columns, "val_loss");
    }
    cJSON_Delete(reply);
    return reply;
}

static int text_losses(const struct watch *w, char *out, size_t size)
{
    int n = 0;
    out[0] = '\0';
    if (!isnan(w->train_loss))
        n = snprintf(out, size, "  train %.4g", w->train_loss);
    if (!isnan(w->val_loss))
        n += snprintf(out + n, size - (size_t)n, "  val %.4g", w->val_loss);
    return n;
}

// "epoch 21/100", then the losses, then what is left; the bar takes the room between.
static void follow_draw(struct watch *w, const cJSON *job)
{
    const struct term *t = &w->c->term;
    const cJSON *progress = cJSON_GetObjectItemCaseSensitive(job, "progress");
    double fraction = json_number_of(progress, "fraction"),
           eta = json_number_of(job, "eta_seconds");
    char head[64], losses[64], left[32], on[12], off[12];
    int n = snprintf(head, sizeof head, "job %s  epoch %.0f/%.0f ", w->id,
                     json_number_of(progress, "epoch"), json_number_of(progress, "epochs"));
    n += text_losses(w, losses, sizeof losses);
    term_duration(eta, left);
    int room = t->width - n - (int)strlen(" 100 %") - (int)strlen("  59 min 59 s left") - 1;
    int bar = room > BAR_MOST ? BAR_MOST : room;
    printf("\r%s", head);
    if (bar >= BAR_LEAST) {
        fputs(term_colour(t, "36;100", on), stdout);
        term_bar(stdout, t, bar, fraction);
        fputs(term_colour(t, "0", off), stdout);
    }
    printf(" %3.0f %%%s%s%s%s\033[K", 100 * fraction, losses, *left ? "  " : "", left,
           *left ? " left" : "");
}

static void print_line(struct watch *w, const cJSON *job)
{
    const cJSON *progress = cJSON_GetObjectItemCaseSensitive(job, "progress");
    double epochs = json_number_of(progress, "epochs");
    char losses[64];
    if (w->epoch == 0 || (w->printed && w->epoch - w->printed < epochs / LINES_PRINTED))
        return;
    text_losses(w, losses, sizeof losses);
    printf("job %s  epoch %.0f/%.0f%s\n", w->id, w->epoch, epochs, losses);
    w->printed = w->epoch;
}

static void follow_show(struct watch *w, const cJSON *job)
{
    bool queued = !strcmp(json_text_of(job, "status"), "queued");
    double before = json_number_of(job, "queue_position");
    if (!w->c->term.tty) {
        print_line(w, job);
    } else {
        if (queued)
            printf("\rjob %s  queued, %.0f before it\033[K", w->id, isnan(before) ? 0 : before);
        else
            follow_draw(w, job);
        w->drawn = true;
    }
    fflush(stdout);
}

static bool follow_has_ended(const cJSON *job)
{
    static const char *const ends[] = {"succeeded", "failed", "cancelled"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (!strcmp(json_text_of(job, "status"), ends[i]))
            return true;
    return false;
}

static void print_success(const struct watch *w, const cJSON *job)
{
    const cJSON *model = cJSON_GetObjectItemCaseSensitive(job, "model"),
                *best = cJSON_GetObjectItemCaseSensitive(job, "best");
    const char *name = json_text_of(model, "name");
    char took[32];
    term_duration(json_number_of(job, "elapsed_seconds"), took);
    say(stdout, "job %s succeeded in %s: model \"%s\" version %.0f\n", w->id, took, name,
        json_number_of(model, "version"));
    if (cJSON_IsObject(best))
        say(stdout, "  best epoch %.0f of %.0f, %s %.6g\n", json_number_of(best, "epoch"), w->epoch,
            json_text_of(best, "metric"), json_number_of(best, "value"));
    say(stdout, "  mlpd-cli plot %s shows the curves, mlpd-cli predict %s '{...}' uses the model\n",
        w->id, name);
}

static int follow_end(struct watch *w, const cJSON *job)
{
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(job, "error");
    const char *status = json_text_of(job, "status");
    if (w->drawn)
        putchar('\n');
    if (!strcmp(status, "succeeded")) {
        print_success(w, job);
        return CLI_OK;
    }
    say(stdout, "job %s %s%s%s%s\n", w->id, strcmp(status, "failed") ? "was " : "", status,
        cJSON_IsObject(error) ? ": " : "", json_text_of(error, "message"));
    return CLI_FAILED;
}

// The job is read before its losses: once it has ended, its last epoch is among them.
static int follow_look(struct watch *w, bool *ended)
{
    int code = CLI_FAILED;
    cJSON *job = http_json(&w->c->http, &(struct request){.path = "/jobs/", .name = w->id});
    *ended = !job || !look_at_losses(w) || follow_has_ended(job);
    if (job)
        follow_show(w, job);
    if (job && follow_has_ended(job))
        code = follow_end(w, job);
    cJSON_Delete(job);
    return code;
}

int follow_job(struct cli *c, const char *job)
{
    struct watch w = {.c = c, .id = job, .train_loss = NAN, .val_loss = NAN};
    for (;;) {
        bool ended;
        int code = follow_look(&w, &ended);
        if (ended)
            return code;
        pause_between_looks();
    }
}

int cmd_follow(struct cli *c)
{
    return is_job(c->args.word[1]) ? follow_job(c, c->args.word[1]) : CLI_USAGE;
}
