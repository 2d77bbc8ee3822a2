-- The series that a run records, declared once, before its first point. A list is the values of
-- a kind of point in the order of "ordinal": 0 those of the run as a whole, 1 those of its parts (the
-- layers), which "scope" names.
CREATE TABLE job_series (
    job_id  INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    list    INTEGER NOT NULL CHECK (list IN (0, 1)),
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
