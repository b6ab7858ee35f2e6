-- JSON list of the only queues whose work a token of role worker may do. Null = all.
ALTER TABLE tokens ADD COLUMN queues TEXT;
