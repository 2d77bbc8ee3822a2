-- How long the run has trained, in milliseconds by a clock that nobody can set.
ALTER TABLE jobs ADD COLUMN elapsed INTEGER NOT NULL DEFAULT 0;
