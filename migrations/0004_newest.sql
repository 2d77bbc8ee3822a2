-- Lists show the newest version of each name. A partial index finds them without passing over the
-- older ones, of which there may be thousands. The triggers keep the mark where it belongs: a
-- version is newest from its insertion until the next.

ALTER TABLE datasets ADD COLUMN newest INTEGER NOT NULL DEFAULT 1 CHECK (newest IN (0, 1));
UPDATE datasets SET newest = 0 WHERE EXISTS
    (SELECT 1 FROM datasets n WHERE n.name = datasets.name AND n.version > datasets.version);
CREATE UNIQUE INDEX datasets_newest ON datasets (name) WHERE newest = 1;
CREATE INDEX datasets_listed ON datasets (id) WHERE newest = 1;
CREATE TRIGGER datasets_next BEFORE INSERT ON datasets
BEGIN
    UPDATE datasets SET newest = 0 WHERE name = NEW.name AND newest = 1;
END;

ALTER TABLE models ADD COLUMN newest INTEGER NOT NULL DEFAULT 1 CHECK (newest IN (0, 1));
UPDATE models SET newest = 0 WHERE EXISTS
    (SELECT 1 FROM models n WHERE n.name = models.name AND n.version > models.version);
CREATE UNIQUE INDEX models_newest ON models (name) WHERE newest = 1;
CREATE INDEX models_listed ON models (id) WHERE newest = 1;
CREATE INDEX models_digest ON models (digest);
CREATE TRIGGER models_next BEFORE INSERT ON models
BEGIN
    UPDATE models SET newest = 0 WHERE name = NEW.name AND newest = 1;
END;

-- A claim looks at nothing but this index until it has found its job.
DROP INDEX jobs_ready;
CREATE INDEX jobs_ready ON jobs (priority DESC, id, run_at, blame) WHERE state = 'queued';
