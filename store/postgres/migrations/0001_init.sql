-- Times are milliseconds since the epoch. Every row belongs to a tenant. JSON is text: it is kept byte for byte, which the
-- audit digests rely on.

CREATE TABLE tenants (
  id            text   NOT NULL COLLATE "C" PRIMARY KEY,
  name          text   NOT NULL,
  status        text   NOT NULL CHECK (status IN ('active', 'suspended', 'archived')),
  created_at_ms bigint NOT NULL
);
INSERT INTO tenants (id, name, status, created_at_ms)
  VALUES ('default', 'Default', 'active', (extract(epoch FROM now()) * 1000)::bigint);

-- Content-addressed: the same document is stored once per tenant, whatever versions name it.
CREATE TABLE revisions (
  tenant_id     text   NOT NULL,
  hash          text   NOT NULL,
  source        text   NOT NULL,
  created_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant_id, hash)
);

CREATE TABLE workflows (
  tenant_id        text   NOT NULL,
  workflow_id      text   NOT NULL COLLATE "C",
  version          text   NOT NULL,
  revision         text   NOT NULL,
  -- Sequence of the control event that registered it: the highest is the latest version.
  registration     bigint NOT NULL,
  registered_at_ms bigint NOT NULL,
  PRIMARY KEY (tenant_id, workflow_id, version),
  FOREIGN KEY (tenant_id, revision) REFERENCES revisions (tenant_id, hash)
);
CREATE INDEX workflows_latest ON workflows (tenant_id, workflow_id, registration);

-- The head of an execution, and its checkpoint: a large one is kept out of the row by the database itself, and is not rewritten
-- when the head moves without it. Room is left on each page, so that a step that changes no indexed column stays on it.
CREATE TABLE executions (
  id               text    NOT NULL COLLATE "C" PRIMARY KEY,
  tenant_id        text    NOT NULL,
  workflow_id      text    NOT NULL,
  workflow_version text    NOT NULL,
  revision         text    NOT NULL,
  labels           text    NOT NULL,
  parent_id        text    COLLATE "C",
  depth            integer NOT NULL,
  deadline_at_ms   bigint,
  created_at_ms    bigint  NOT NULL,
  status           text    NOT NULL,
  seq              integer NOT NULL,
  steps            integer NOT NULL,
  error            text,
  local_work       integer NOT NULL,
  owner            text,
  updated_at_ms    bigint  NOT NULL,
  completed_at_ms  bigint,
  snapshot_seq     integer NOT NULL,
  snapshot         text
) WITH (fillfactor = 70);
CREATE INDEX executions_by_tenant ON executions (tenant_id, id);
CREATE INDEX executions_by_status ON executions (tenant_id, status, id, workflow_id);
CREATE INDEX executions_by_workflow ON executions (tenant_id, workflow_id, id);
CREATE INDEX executions_by_parent ON executions (tenant_id, parent_id, id) WHERE parent_id IS NOT NULL;
CREATE INDEX executions_with_local_work ON executions (id, owner) WHERE local_work > 0;
CREATE INDEX executions_by_deadline ON executions (deadline_at_ms) WHERE deadline_at_ms IS NOT NULL;

CREATE TABLE events (
  execution_id text    NOT NULL COLLATE "C",
  seq          integer NOT NULL,
  tenant_id    text    NOT NULL,
  type         text    NOT NULL,
  node_id      text,
  at_ms        bigint  NOT NULL,
  actor_id     text    NOT NULL,
  actor_type   text    NOT NULL,
  request      text,
  data         text    NOT NULL,
  PRIMARY KEY (execution_id, seq)
);

-- What was done to a tenant's control plane: workflows, tokens.
CREATE TABLE control_events (
  tenant_id  text    NOT NULL,
  seq        integer NOT NULL,
  type       text    NOT NULL,
  at_ms      bigint  NOT NULL,
  actor_id   text    NOT NULL,
  actor_type text    NOT NULL,
  request    text,
  data       text    NOT NULL,
  PRIMARY KEY (tenant_id, seq)
);

CREATE TABLE timers (
  execution_id text    NOT NULL COLLATE "C",
  id           text    NOT NULL,
  tenant_id    text    NOT NULL,
  node_id      text    NOT NULL,
  at_ms        bigint  NOT NULL,
  armed_seq    integer NOT NULL,
  PRIMARY KEY (execution_id, id)
);
CREATE INDEX timers_by_time ON timers (at_ms);

-- Nodes handed to external workers. `position` breaks ties between items of the same millisecond.
CREATE TABLE work_items (
  position            bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id                  text    NOT NULL COLLATE "C" UNIQUE,
  tenant_id           text    NOT NULL,
  execution_id        text    NOT NULL COLLATE "C",
  node_id             text    NOT NULL,
  activation          integer NOT NULL,
  attempt             integer NOT NULL,
  max_attempts        integer NOT NULL,
  queue               text    NOT NULL,
  timeout_ms          bigint,
  created_at_ms       bigint  NOT NULL,
  status              text    NOT NULL
    CHECK (status IN ('pending', 'claimed', 'completed', 'failed', 'dead_lettered', 'cancelled')),
  worker_id           text,
  fence               integer NOT NULL DEFAULT 0,
  lease_expires_at_ms bigint,
  deadline_at_ms      bigint,
  claimed_at_ms       bigint,
  -- Null while pending or claimed.
  settled_at_ms       bigint,
  payload             text    NOT NULL
);
CREATE INDEX work_items_pending ON work_items (tenant_id, queue, created_at_ms, position) WHERE status = 'pending';
CREATE INDEX work_items_unclaimed ON work_items (queue, id) WHERE status = 'pending';
CREATE INDEX work_items_open ON work_items (execution_id, node_id) WHERE settled_at_ms IS NULL;
CREATE INDEX work_items_by_lease ON work_items (lease_expires_at_ms) WHERE status = 'claimed';
CREATE INDEX work_items_by_deadline ON work_items (deadline_at_ms) WHERE status = 'claimed' AND deadline_at_ms IS NOT NULL;
CREATE INDEX work_items_by_worker ON work_items (tenant_id, worker_id) WHERE status = 'claimed';

-- Messages between executions that are not delivered yet.
CREATE TABLE inbox (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id       text NOT NULL,
  to_execution_id text NOT NULL COLLATE "C",
  message         text NOT NULL
);

CREATE TABLE idempotency (
  tenant_id     text    NOT NULL,
  scope         text    NOT NULL,
  key           text    NOT NULL,
  request_hash  text    NOT NULL,
  status        integer NOT NULL,
  response      text    NOT NULL,
  created_at_ms bigint  NOT NULL,
  PRIMARY KEY (tenant_id, scope, key)
);

-- External workers by tenant; runtimes, which serve every tenant, under the tenant ''.
CREATE TABLE workers (
  tenant_id        text    NOT NULL,
  kind             text    NOT NULL CHECK (kind IN ('external', 'runtime')),
  id               text    NOT NULL COLLATE "C",
  queues           text    NOT NULL,
  first_seen_at_ms bigint  NOT NULL,
  last_seen_at_ms  bigint  NOT NULL,
  claimed_total    bigint  NOT NULL,
  stopped_at_ms    bigint,
  PRIMARY KEY (tenant_id, kind, id)
);

CREATE TABLE tokens (
  id            text   NOT NULL COLLATE "C" PRIMARY KEY,
  tenant_id     text   NOT NULL,
  name          text   NOT NULL,
  role          text   NOT NULL,
  hash          text   NOT NULL UNIQUE,
  created_at_ms bigint NOT NULL,
  expires_at_ms bigint,
  revoked_at_ms bigint
);
CREATE INDEX tokens_by_tenant ON tokens (tenant_id, created_at_ms);

-- One hash chain per writer: writers do not wait for each other. `commits` counts what the writer committed: it tells whether a
-- commit whose answer was lost took place. Who asks raises `fence`, which keeps a late one from taking place after all.
CREATE TABLE audit_chains (
  writer  text   NOT NULL COLLATE "C" PRIMARY KEY,
  -- Random: the predecessor of the chain's first block.
  id      text   NOT NULL DEFAULT replace(gen_random_uuid()::text, '-', ''),
  commits bigint NOT NULL DEFAULT 0,
  fence   bigint NOT NULL DEFAULT 0,
  block   bigint NOT NULL DEFAULT 0,
  hash    text   NOT NULL DEFAULT ''
) WITH (fillfactor = 50);

CREATE TABLE audit_blocks (
  writer    text   NOT NULL COLLATE "C",
  block     bigint NOT NULL,
  at_ms     bigint NOT NULL,
  -- JSON: one [tenant, execution or null, first seq, last seq, digest] per stream the commit appended to.
  streams   text   NOT NULL,
  hash      text   NOT NULL,
  -- HMAC-SHA256 of the hash; null when no key was set.
  signature text,
  PRIMARY KEY (writer, block)
);

-- Ends the statement, and with it the commit, unless as many rows were found as the caller knows must be there.
CREATE FUNCTION jamjet_expect(actual bigint, expected bigint, what text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF actual <> expected THEN
    RAISE EXCEPTION USING ERRCODE = 'JJ001', MESSAGE = what;
  END IF;
  RETURN true;
END $$;
