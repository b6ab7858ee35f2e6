-- Times are milliseconds since the epoch. Every row belongs to a tenant. JSON is text: SQLite keeps it byte for byte,
-- which the audit digests rely on.

CREATE TABLE tenants (
  id            TEXT    NOT NULL PRIMARY KEY,
  name          TEXT    NOT NULL,
  status        TEXT    NOT NULL CHECK (status IN ('active', 'suspended', 'archived')),
  created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO tenants (id, name, status, created_at_ms) VALUES ('default', 'Default', 'active', unixepoch() * 1000);

-- Content-addressed: the same document is stored once per tenant, whatever versions name it.
CREATE TABLE revisions (
  tenant_id     TEXT    NOT NULL,
  hash          TEXT    NOT NULL,
  source        TEXT    NOT NULL,
  created_at_ms INTEGER NOT NULL,
  UNIQUE (tenant_id, hash)
) STRICT;

CREATE TABLE workflows (
  tenant_id        TEXT    NOT NULL,
  workflow_id      TEXT    NOT NULL,
  version          TEXT    NOT NULL,
  revision         TEXT    NOT NULL,
  -- Sequence of the control event that registered it: the highest is the latest version.
  registration     INTEGER NOT NULL,
  registered_at_ms INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, workflow_id, version),
  FOREIGN KEY (tenant_id, revision) REFERENCES revisions (tenant_id, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX workflows_latest ON workflows (tenant_id, workflow_id, registration);

-- The head of an execution. `snapshot` comes last, so that reading a head never reads it.
CREATE TABLE executions (
  id               TEXT    NOT NULL PRIMARY KEY,
  tenant_id        TEXT    NOT NULL,
  workflow_id      TEXT    NOT NULL,
  workflow_version TEXT    NOT NULL,
  revision         TEXT    NOT NULL,
  labels           TEXT    NOT NULL,
  parent_id        TEXT,
  depth            INTEGER NOT NULL,
  deadline_at_ms   INTEGER,
  created_at_ms    INTEGER NOT NULL,
  status           TEXT    NOT NULL,
  seq              INTEGER NOT NULL,
  steps            INTEGER NOT NULL,
  error            TEXT,
  local_work       INTEGER NOT NULL,
  owner            TEXT,
  updated_at_ms    INTEGER NOT NULL,
  completed_at_ms  INTEGER,
  snapshot_seq     INTEGER NOT NULL,
  -- Null when the checkpoint is too large for the row: then it is in `checkpoints`.
  snapshot         TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX executions_by_tenant ON executions (tenant_id, id);
-- With the workflow, so that a filter by both is decided within the index.
CREATE INDEX executions_by_status ON executions (tenant_id, status, id, workflow_id);
CREATE INDEX executions_by_workflow ON executions (tenant_id, workflow_id, id);
CREATE INDEX executions_by_parent ON executions (tenant_id, parent_id, id) WHERE parent_id IS NOT NULL;
CREATE INDEX executions_with_local_work ON executions (id, owner) WHERE local_work > 0;
CREATE INDEX executions_by_deadline ON executions (deadline_at_ms) WHERE deadline_at_ms IS NOT NULL;

-- Large checkpoints: apart, so that moving a head does not rewrite a megabyte.
CREATE TABLE checkpoints (
  execution_id TEXT NOT NULL UNIQUE,
  tenant_id    TEXT NOT NULL,
  snapshot     TEXT NOT NULL,
  FOREIGN KEY (execution_id) REFERENCES executions (id)
) STRICT;

-- Appended at the end of the table, with an index by execution: clustered by execution instead, each commit would touch a page
-- per execution, and write twice the bytes. No foreign key: a commit moves the head it appends to; the check would be a
-- look-up per event.
CREATE TABLE events (
  execution_id TEXT    NOT NULL,
  seq          INTEGER NOT NULL,
  tenant_id    TEXT    NOT NULL,
  type         TEXT    NOT NULL,
  node_id      TEXT,
  at_ms        INTEGER NOT NULL,
  actor_id     TEXT    NOT NULL,
  actor_type   TEXT    NOT NULL,
  request      TEXT,
  data         TEXT    NOT NULL,
  UNIQUE (execution_id, seq)
) STRICT;

-- What was done to a tenant's control plane: workflows, tokens.
CREATE TABLE control_events (
  tenant_id  TEXT    NOT NULL,
  seq        INTEGER NOT NULL,
  type       TEXT    NOT NULL,
  at_ms      INTEGER NOT NULL,
  actor_id   TEXT    NOT NULL,
  actor_type TEXT    NOT NULL,
  request    TEXT,
  data       TEXT    NOT NULL,
  PRIMARY KEY (tenant_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE timers (
  execution_id TEXT    NOT NULL,
  id           TEXT    NOT NULL,
  tenant_id    TEXT    NOT NULL,
  node_id      TEXT    NOT NULL,
  at_ms        INTEGER NOT NULL,
  armed_seq    INTEGER NOT NULL,
  PRIMARY KEY (execution_id, id),
  FOREIGN KEY (execution_id) REFERENCES executions (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX timers_by_time ON timers (at_ms);

-- Nodes handed to external workers. `position` breaks ties between items of the same millisecond.
CREATE TABLE work_items (
  position            INTEGER PRIMARY KEY,
  id                  TEXT    NOT NULL UNIQUE,
  tenant_id           TEXT    NOT NULL,
  execution_id        TEXT    NOT NULL,
  node_id             TEXT    NOT NULL,
  activation          INTEGER NOT NULL,
  attempt             INTEGER NOT NULL,
  max_attempts        INTEGER NOT NULL,
  queue               TEXT    NOT NULL,
  timeout_ms          INTEGER,
  created_at_ms       INTEGER NOT NULL,
  status              TEXT    NOT NULL
    CHECK (status IN ('pending', 'claimed', 'completed', 'failed', 'dead_lettered', 'cancelled')),
  worker_id           TEXT,
  fence               INTEGER NOT NULL DEFAULT 0,
  lease_expires_at_ms INTEGER,
  deadline_at_ms      INTEGER,
  claimed_at_ms       INTEGER,
  -- Null while pending or claimed.
  settled_at_ms       INTEGER,
  payload             TEXT    NOT NULL,
  FOREIGN KEY (execution_id) REFERENCES executions (id)
) STRICT;
CREATE INDEX work_items_pending ON work_items (tenant_id, queue, created_at_ms) WHERE status = 'pending';
CREATE INDEX work_items_unclaimed ON work_items (queue, id) WHERE status = 'pending';
CREATE INDEX work_items_open ON work_items (execution_id, node_id) WHERE settled_at_ms IS NULL;
CREATE INDEX work_items_by_lease ON work_items (lease_expires_at_ms) WHERE status = 'claimed';
CREATE INDEX work_items_by_deadline ON work_items (deadline_at_ms) WHERE status = 'claimed' AND deadline_at_ms IS NOT NULL;
CREATE INDEX work_items_by_worker ON work_items (tenant_id, worker_id) WHERE status = 'claimed';

-- Messages between executions that are not delivered yet. AUTOINCREMENT: an id is never used twice.
CREATE TABLE inbox (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_id       TEXT NOT NULL,
  to_execution_id TEXT NOT NULL,
  message         TEXT NOT NULL
) STRICT;

CREATE TABLE idempotency (
  tenant_id     TEXT    NOT NULL,
  scope         TEXT    NOT NULL,
  key           TEXT    NOT NULL,
  request_hash  TEXT    NOT NULL,
  status        INTEGER NOT NULL,
  response      TEXT    NOT NULL,
  created_at_ms INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, scope, key)
) STRICT, WITHOUT ROWID;

-- External workers by tenant; runtimes, which serve every tenant, under the tenant ''.
CREATE TABLE workers (
  tenant_id        TEXT    NOT NULL,
  kind             TEXT    NOT NULL CHECK (kind IN ('external', 'runtime')),
  id               TEXT    NOT NULL,
  queues           TEXT    NOT NULL,
  first_seen_at_ms INTEGER NOT NULL,
  last_seen_at_ms  INTEGER NOT NULL,
  claimed_total    INTEGER NOT NULL,
  stopped_at_ms    INTEGER,
  PRIMARY KEY (tenant_id, kind, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
  id            TEXT    NOT NULL PRIMARY KEY,
  tenant_id     TEXT    NOT NULL,
  name          TEXT    NOT NULL,
  role          TEXT    NOT NULL,
  hash          TEXT    NOT NULL UNIQUE,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER,
  revoked_at_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_tenant ON tokens (tenant_id, created_at_ms);

-- Who runs on this database; meaningful only while the lock file beside it is locked.
CREATE TABLE runtime_holder (
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  runtime_id    TEXT    NOT NULL,
  pid           INTEGER NOT NULL,
  started_at_ms INTEGER NOT NULL
) STRICT;

-- One hash chain per database: SQLite lets one process write at a time, so every writer extends the same chain.
CREATE TABLE audit_chain (
  id TEXT NOT NULL PRIMARY KEY
) STRICT;
INSERT INTO audit_chain (id) VALUES (lower(hex(randomblob(16))));

CREATE TABLE audit_blocks (
  block     INTEGER PRIMARY KEY,
  at_ms     INTEGER NOT NULL,
  writer    TEXT    NOT NULL,
  -- JSON: one [tenant, execution or null, first seq, last seq, digest] per stream the commit appended to.
  streams   TEXT    NOT NULL,
  hash      TEXT    NOT NULL,
  -- HMAC-SHA256 of the hash; null when no key was set.
  signature TEXT
) STRICT;
