-- Which tool an item asks for, and which tools a worker serves: a worker claims only what it can do.

-- Empty: written by an earlier release, which any worker of the queue claims.
ALTER TABLE work_items ADD COLUMN tool text COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX work_items_by_tool ON work_items (tenant_id, queue, tool, created_at_ms, position) WHERE status = 'pending';

-- A JSON array of names; null: it claims every item of its queues.
ALTER TABLE workers ADD COLUMN tools text;
