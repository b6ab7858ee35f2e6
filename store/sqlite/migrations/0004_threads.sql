-- Threads: conversations that executions read and continue. AUTOINCREMENT: a number is never used twice, so that a turn that has
-- read a thread does not append to another one of the same id.
CREATE TABLE threads (
  number        INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_id     TEXT    NOT NULL,
  id            TEXT    NOT NULL,
  -- Totals of its messages, and of the summary: how many they are, and their size.
  messages      INTEGER NOT NULL,
  bytes         INTEGER NOT NULL,
  -- Sequence of the last message.
  last          INTEGER NOT NULL,
  -- What the messages up to `summarised` say. Null: there is none.
  summary       TEXT,
  summarised    INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  UNIQUE (tenant_id, id)
) STRICT;
CREATE INDEX threads_by_change ON threads (tenant_id, updated_at_ms, number);

CREATE TABLE thread_messages (
  -- Of `threads`.
  thread        INTEGER NOT NULL,
  sequence      INTEGER NOT NULL,
  tenant_id     TEXT    NOT NULL,
  bytes         INTEGER NOT NULL,
  -- Whose turn has appended it. Null: a request has.
  execution_id  TEXT,
  node_id       TEXT,
  activation    INTEGER,
  created_at_ms INTEGER NOT NULL,
  -- JSON object.
  message       TEXT    NOT NULL,
  PRIMARY KEY (thread, sequence)
) STRICT;
