-- How long the run has trained, in milliseconds by a clock that nobody can set.
ALTER TABLE jobs ADD COLUMN elapsed INTEGER NOT NULL DEFAULT 0;

-- What the deaths of the daemon say about a job: see server/store/blame.h.
ALTER TABLE jobs ADD COLUMN blame INTEGER NOT NULL DEFAULT 0 CHECK (blame >= 0);
ALTER TABLE jobs ADD COLUMN furthest INTEGER NOT NULL DEFAULT 0;
CREATE INDEX jobs_suspect ON jobs (state, run_at) WHERE blame >= 1;
