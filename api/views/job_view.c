// SPDX-License-Identifier: MIT
// Rows of what is said of jobs, in the order in which it is printed: see view_rows.h. A list shows
// the same as a single job, but for the definition, which may be long, and the place in the queue,
// which takes a question of its own to find out.

#include "api/views/job_view.h"

#include "api/schema/job_parts.h"
#include "api/views/list_view.h"
#include "api/views/view_rows.h"

static const char *const status_words[] = {"queued",    "running", "paused",    "cancelling",
                                           "succeeded", "failed",  "cancelled", NULL};

FIELDS(progress) = {
    R_REAL(progress, fraction, .max = 1, .doc = "Share of the work that is done."),
    R_WHOLE(progress, epoch, .doc = "Epochs that are done."),
    R_WHOLE(progress, epochs, .doc = "Epochs there will be at most."),
    R_WHOLE(progress, step, .doc = "Steps that are done."),
    R_WHOLE(progress, steps, .doc = "Steps there will be at most."),
    {0},
};
static REPLY(progress, "Progress", "How far a job is.");

FIELDS(best) = {
    R_WHOLE(best, epoch, .doc = "The epoch whose weights are kept."),
    R_TEXT(best, metric, .doc = "The metric that was watched."),
    R_REAL(best, value, .nullable = true, .doc = "Its value there."),
    {0},
};
static REPLY(best, "Best", "The best epoch so far.");

FIELDS(job_error) = {
    R_TEXT(job_error, code, .doc = "Stable word for the kind of failure, such as diverged."),
    R_TEXT(job_error, message, .doc = "What happened."),
    R_TEXT(job_error, param, .nullable = true,
           .doc = "JSON Pointer to the field at fault, or null."),
    {0},
};
static REPLY(job_error, "JobError", "Why a job failed.");

FIELDS(model_ref) = {
    R_TEXT(model_ref, name, .doc = "The model's name."),
    R_WHOLE(model_ref, version, .doc = "Its version."),
    {0},
};
static REPLY(model_ref, "ModelReference", "The model that came out of a job.");

FIELDS(url) = {
    R_TEXT(url, what, .doc = "What is there."),
    R_TEXT(url, path, .doc = "Its path."),
    {0},
};
static REPLY(url, "Url", "Where to go on.");

FIELDS(job) = {
    R_WHOLE(job, id, .doc = "Number of the job."),
    R_KIND("job"),
    R_TEXT(job, name, .nullable = true, .doc = "Name of the model that comes out."),
    R_TEXT(job, status, .names = status_words, .doc = "Where the job stands."),
    R_TEXT(job, dataset, .nullable = true, .doc = "Name of the dataset, null for inline data."),
    R_TEXT(job, dataset_digest, .nullable = true, .doc = "SHA-256 of the very data the job uses."),
    R_TIME(job, created_at, .doc = "When it was submitted, in Unix seconds."),
    R_TIME(job, queued_at, .nullable = true, .doc = "When it was last queued."),
    R_TIME(job, started_at, .nullable = true, .doc = "When a worker began."),
    R_TIME(job, finished_at, .nullable = true, .doc = "When it ended."),
    R_TIME(job, run_at, .nullable = true,
           .doc = "When a queued job that pauses after a run that was lost may begin again; null "
                  "when at once."),
    R_WHOLE(job, queue_position, .nullable = true,
            .doc = "Queued jobs in front of it by priority, then age; 0 for the next to run. Null "
                   "in lists."),
    R_WHOLE(job, attempt, .doc = "How many times a worker has begun it."),
    R_WHOLE(job, crashes,
            .doc = "Runs that ended by a failure of the server; the third fails the job. A lack "
                   "of memory or descriptors is none: it is tried again later."),
    R_WHOLE(job, deaths,
            .doc = "Runs that ended with the daemon; the third in a row without a stored epoch "
                   "fails the job."),
    R_BOOL(job, runs_alone,
           .doc = "Whether no other job may run beside it, because the daemon died while it ran."),
    R_OBJECT(job, progress, progress, .doc = "How far it is."),
    R_REAL(job, elapsed_seconds,
           .doc = "Seconds of training in the current or last run, whatever was done to the "
                  "clock."),
    R_REAL(job, eta_seconds, .nullable = true, .doc = "Seconds it may still take."),
    R_REAL(job, estimated_finish, .nullable = true, .doc = "When it may end, in Unix seconds."),
    R_OBJECT(job, best, best, .nullable = true, .doc = "The best epoch so far."),
    R_OBJECT(job, error, job_error, .nullable = true, .doc = "Why it failed."),
    R_OBJECT(job, model, model_ref, .nullable = true, .doc = "What came out."),
    R_INT(job, priority, .doc = "Its priority."),
    R_JSON(job, metadata, .doc = "The client's own, or null."),
    R_JSON(job, definition, .of = FIELD_OBJECT, .optional = true,
           .doc = "The job definition with every default resolved; not in lists."),
    R_JSON(job, result, .of = FIELD_OBJECT, .any = job_results, .optional = true,
           .doc =
               "What a job of its kind has found; only once it has succeeded, and for kinds that "
               "find something besides a model; not in lists."),
    R_TEXTS(job, notes, .optional = true,
            .doc = "In the reply to a submission: what became of names that are not the schema's."),
    R_MAP(job, urls, url, .doc = "Where to go on from here."),
    {0},
};
REPLY(job, "Job", "A training job.");
LIST_VIEW(job_list, job, "Newest first.", "JobList", "Training jobs.");

FIELDS(event) = {
    R_WHOLE(event, id, .doc = "Number of the event; grows with time."),
    R_KIND("job.event"),
    R_WHOLE(event, job_id, .doc = "The job it happened to."),
    R_TIME(event, created_at, .doc = "When it happened, in Unix seconds."),
    R_TEXT(event, level, .doc = "info, warn or error."),
    R_TEXT(event, type, .doc = "What it is about, such as state."),
    R_TEXT(event, message, .doc = "What happened."),
    {0},
};
static REPLY(event, "Event", "Something that happened to a job.");
LIST_VIEW(event_list, event, "Oldest first.", "EventList", "What happened to a job.");
