-- The work of a visit may have several pieces, each with attempts of its own. Null = it has only one.
ALTER TABLE work_items ADD COLUMN item integer;
ALTER TABLE approvals ADD COLUMN item integer;

DROP INDEX work_items_open;
CREATE INDEX work_items_open ON work_items (execution_id, node_id, activation, item) WHERE settled_at_ms IS NULL;
