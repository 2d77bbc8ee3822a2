-- What each layer did in an epoch: "layers" names them, "layer_vals" holds as many little-endian
-- doubles for each (struct layer_stats). NULL where nothing was observed.
ALTER TABLE job_metrics ADD COLUMN layers TEXT;
ALTER TABLE job_metrics ADD COLUMN layer_vals BLOB CHECK (length(layer_vals) % 8 = 0);
