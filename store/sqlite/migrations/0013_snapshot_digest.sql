-- What the stored snapshot was sealed with: the sequence it stands at, the kind of digest, the digest. Null = it was stored before this
-- migration.
ALTER TABLE executions ADD COLUMN snapshot_digest TEXT;
