-- For whom the actor of an event says it acts: a name from the body of the request. Null = for itself, and in all rows before this
-- migration, whose actor may be such a name. The actor filter reads the rows of `events_by_time`, so this needs no index of its own.
ALTER TABLE events ADD COLUMN on_behalf_of TEXT;
