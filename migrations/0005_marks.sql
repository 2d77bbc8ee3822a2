-- Files of data that came with a job are known by their mark, see file_mark.h.
DROP INDEX jobs_inline;
