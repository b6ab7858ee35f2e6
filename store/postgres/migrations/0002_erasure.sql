-- The execution that a remembered request began, or that took it: with it the request is forgotten.
UPDATE idempotency SET execution_id = CASE
  WHEN scope LIKE 'external-event:%' THEN substr(scope, length('external-event:') + 1)
  ELSE coalesce(response::jsonb ->> 'execution_id', response::jsonb ->> 'executionId')
END WHERE execution_id IS NULL;

-- What is erased or deleted must not go on as a sample in the statistics of its column.
ALTER TABLE original_events ALTER COLUMN data SET STATISTICS 0;
ALTER TABLE checkpoints ALTER COLUMN snapshot SET STATISTICS 0;
ALTER TABLE work_items ALTER COLUMN payload SET STATISTICS 0;
