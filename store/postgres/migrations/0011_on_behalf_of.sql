-- For whom the actor of an event says it acts: a name from the body of the request. Null = for itself, and in all rows before this
-- migration, whose actor may be such a name.
ALTER TABLE events ADD COLUMN on_behalf_of text;

-- The actor filter looks up both names, each in an index that holds all it asks for.
CREATE INDEX events_on_behalf_of ON events (tenant_id, on_behalf_of, at_ms, position) INCLUDE (type, actor_id) WHERE on_behalf_of IS NOT NULL;
