-- The execution that a remembered request began, or that took it: with it the request is forgotten.
ALTER TABLE idempotency ADD COLUMN execution_id TEXT;
UPDATE idempotency SET execution_id = CASE
  WHEN scope LIKE 'external-event:%' THEN substr(scope, length('external-event:') + 1)
  ELSE coalesce(json_extract(response, '$.execution_id'), json_extract(response, '$.executionId'))
END;
DROP INDEX idempotency_by_execution;
CREATE INDEX idempotency_by_execution ON idempotency (execution_id);
