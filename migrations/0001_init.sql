-- Jobs, their curves and their log, datasets, models. Times are milliseconds since 1970 (UTC).
-- Weights and tables are files named by their digest; only the digest stands here.

CREATE TABLE datasets (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    version    INTEGER NOT NULL CHECK (version >= 1),
    digest     TEXT    NOT NULL CHECK (length(digest) = 64),
    n_row      INTEGER NOT NULL CHECK (n_row >= 0),
    n_column   INTEGER NOT NULL CHECK (n_column >= 0),
    bytes      INTEGER NOT NULL CHECK (bytes >= 0),
    created_at INTEGER NOT NULL,
    summary    TEXT    NOT NULL,                      -- JSON: the columns and their statistics
    UNIQUE (name, version)
) STRICT;
CREATE INDEX datasets_digest ON datasets (digest);

CREATE TABLE jobs (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    owner      INTEGER NOT NULL DEFAULT 0,
    state      TEXT    NOT NULL DEFAULT 'queued'
               CHECK (state IN ('queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled')),
    name       TEXT    NOT NULL,
    dataset    TEXT,                                  -- NULL: the data came with the job
    digest     TEXT    NOT NULL CHECK (length(digest) = 64),
    spec       TEXT    NOT NULL,                      -- JSON: the resolved definition
    spec_version INTEGER NOT NULL DEFAULT 0,          -- of its form: JOB_STORED_VERSION
    metadata   TEXT    NOT NULL,                      -- JSON: the user's own
    priority   INTEGER NOT NULL DEFAULT 0,
    run_at     INTEGER NOT NULL DEFAULT 0,            -- not before; 0: at once
    idem_key   TEXT,
    idem_print TEXT,                                  -- digest of the request that used the key

    attempt    INTEGER NOT NULL DEFAULT 0,            -- runs begun, those released unfinished aside
    crashes    INTEGER NOT NULL DEFAULT 0,            -- runs that ended by the job's own doing
    deaths     INTEGER NOT NULL DEFAULT 0,            -- runs that ended with the daemon
    lease      BLOB CHECK (length(lease) = 16),       -- drawn at random by every claim
    lease_until INTEGER,
    worker     TEXT,
    cancel_requested INTEGER NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1)),

    epoch      INTEGER NOT NULL DEFAULT 0,
    epochs     INTEGER NOT NULL DEFAULT 0,
    step       INTEGER NOT NULL DEFAULT 0,
    steps      INTEGER NOT NULL DEFAULT 0,
    best_epoch INTEGER,
    best_metric TEXT,
    best_value REAL,
    error_kind TEXT,
    error_at   TEXT,
    error_text TEXT,

    created_at INTEGER NOT NULL,
    queued_at  INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,

    CHECK ((state = 'running') = (lease IS NOT NULL)),
    CHECK ((lease IS NULL) = (lease_until IS NULL)),
    CHECK ((state IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
    CHECK ((state = 'failed') = (error_kind IS NOT NULL))
) STRICT;
CREATE INDEX jobs_ready ON jobs (priority DESC, id, run_at) WHERE state = 'queued';
CREATE INDEX jobs_state ON jobs (state, id);
CREATE INDEX jobs_pins ON jobs (digest) WHERE state IN ('queued', 'running', 'paused');
CREATE UNIQUE INDEX jobs_idem ON jobs (owner, idem_key) WHERE idem_key IS NOT NULL;

-- The same moves as the table in server/store/job.c; a test compares every pair.
CREATE TRIGGER jobs_moves BEFORE UPDATE OF state ON jobs
WHEN OLD.state <> NEW.state AND OLD.state || ' ' || NEW.state NOT IN (
    'queued running', 'queued paused', 'queued cancelled',
    'paused queued', 'paused cancelled',
    'running queued', 'running paused', 'running succeeded', 'running failed', 'running cancelled')
BEGIN
    SELECT RAISE(ABORT, 'a job cannot make this move');
END;

CREATE TABLE job_events (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id  INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    at      INTEGER NOT NULL,
    level   TEXT    NOT NULL CHECK (level IN ('info', 'warn', 'error')),
    type    TEXT    NOT NULL CHECK (type IN ('state', 'message', 'metrics', 'checkpoint')),
    message TEXT    NOT NULL
) STRICT;
CREATE INDEX job_events_job ON job_events (job_id, id);

CREATE TABLE models (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    version    INTEGER NOT NULL CHECK (version >= 1),
    job_id     INTEGER UNIQUE REFERENCES jobs (id) ON DELETE SET NULL, -- one result a job
    digest     TEXT    NOT NULL CHECK (length(digest) = 64),
    bytes      INTEGER NOT NULL CHECK (bytes >= 0),
    task       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    summary    TEXT    NOT NULL,                      -- JSON: inputs, classes, scores
    UNIQUE (name, version)
) STRICT;
