-- The series that a run records, declared once, before its first point. A list is the values of
-- a kind of point in the order of "ordinal": 0 those of the run as a whole, 1 those of its parts (the
-- layers), which "scope" names, 2 those of a row of what it has found.
CREATE TABLE job_series (
    job_id  INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    list    INTEGER NOT NULL CHECK (list IN (0, 1, 2)),
    ordinal INTEGER NOT NULL CHECK (ordinal >= 0),
    scope   TEXT    NOT NULL,
    name    TEXT    NOT NULL,
    type    TEXT    NOT NULL,
    PRIMARY KEY (job_id, attempt, list, ordinal)
) STRICT, WITHOUT ROWID;

-- One row an epoch, clustered in the order it is read: little-endian doubles, one for each series
-- of list 0 and of list 1. "parts" is NULL where nothing was observed of them.
CREATE TABLE job_metrics (
    job_id  INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    epoch   INTEGER NOT NULL,
    step    INTEGER NOT NULL,
    vals    BLOB    NOT NULL CHECK (length(vals) % 8 = 0),
    parts   BLOB             CHECK (length(parts) % 8 = 0),
    PRIMARY KEY (job_id, attempt, epoch)
) STRICT, WITHOUT ROWID;

-- What a run has found of each row of its table: blocks of rows from number "first" on, a
-- little-endian double for each series of list 2. They go with the run unless it succeeds.
CREATE TABLE job_rows (
    job_id  INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    first   INTEGER NOT NULL CHECK (first >= 0),
    vals    BLOB    NOT NULL CHECK (length(vals) % 8 = 0),
    UNIQUE (job_id, first)
) STRICT;
CREATE TRIGGER job_rows_end AFTER UPDATE OF state ON jobs
WHEN OLD.state = 'running' AND NEW.state NOT IN ('running', 'succeeded')
BEGIN
    DELETE FROM job_rows WHERE job_id = NEW.id;
END;

-- What a job has found: JSON, as its kind describes it.
ALTER TABLE jobs ADD COLUMN result TEXT;
