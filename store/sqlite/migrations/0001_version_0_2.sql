-- Times are milliseconds since the epoch. Every row belongs to a tenant. JSON is text: SQLite keeps it byte for byte,
-- which the audit digests rely on.

CREATE TABLE tenants (
  id            TEXT    NOT NULL PRIMARY KEY,
  name          TEXT    NOT NULL,
  status        TEXT    NOT NULL CHECK (status IN ('active', 'suspended', 'archived')),
  -- JSON objects as they were given; null = none.
  policy        TEXT,
  limits        TEXT,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Tenants that are not active: few, looked up whenever a tenant is changed, since nothing of theirs may begin.
CREATE INDEX tenants_inactive ON tenants (id) WHERE status <> 'active';
-- Who keeps ended executions for a limited time only.
CREATE INDEX tenants_with_retention ON tenants (id) WHERE json_extract(limits, '$.retention_days') > 0;
INSERT INTO tenants (id, name, status, created_at_ms, updated_at_ms)
  VALUES ('default', 'Default', 'active', unixepoch() * 1000, unixepoch() * 1000);

-- What nodes have reported, added up in the commits that hold the reports.
CREATE TABLE tenant_usage (
  tenant_id TEXT    NOT NULL,
  -- `2026-03`, in UTC.
  month     TEXT    NOT NULL,
  tokens    INTEGER NOT NULL,
  cost_usd  REAL    NOT NULL,
  PRIMARY KEY (tenant_id, month)
) STRICT, WITHOUT ROWID;

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

-- What was registered under each version of a workflow, and by whom. Content that is registered again changes its row.
CREATE TABLE workflow_revisions (
  tenant_id              TEXT    NOT NULL,
  workflow_id            TEXT    NOT NULL,
  version                TEXT    NOT NULL,
  revision               TEXT    NOT NULL,
  first_registered_at_ms INTEGER NOT NULL,
  first_registered_by    TEXT    NOT NULL,
  -- The last time: sequence of the control event, time and actor.
  registration           INTEGER NOT NULL,
  registered_at_ms       INTEGER NOT NULL,
  registered_by          TEXT    NOT NULL,
  PRIMARY KEY (tenant_id, workflow_id, revision, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX workflow_revisions_latest ON workflow_revisions (tenant_id, workflow_id, registration);

-- Revisions of workflows by number: their hashes would be a third of a head.
CREATE TABLE log_revisions (
  number INTEGER PRIMARY KEY,
  hash   TEXT    NOT NULL UNIQUE
) STRICT;

-- The head of an execution. Its log is found by `log_id`, which is never used twice while there are entries of it.
CREATE TABLE executions (
  log_id           INTEGER PRIMARY KEY,
  id               TEXT    NOT NULL UNIQUE,
  tenant_id        TEXT    NOT NULL,
  workflow_id      TEXT    NOT NULL,
  workflow_version TEXT    NOT NULL,
  -- Of `log_revisions`.
  revision         INTEGER NOT NULL,
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
  completed_at_ms  INTEGER
) STRICT;
-- A list by several conditions steps through one index for each, all in order of id (lists/leapfrog-join.ts). The version is filtered
-- along the index of its workflow.
CREATE INDEX executions_by_tenant ON executions (tenant_id, id);
CREATE INDEX executions_by_status ON executions (tenant_id, status, id);
CREATE INDEX executions_by_workflow ON executions (tenant_id, workflow_id, id, workflow_version);
CREATE INDEX executions_by_parent ON executions (tenant_id, parent_id, id) WHERE parent_id IS NOT NULL;
CREATE INDEX executions_with_local_work ON executions (id, owner) WHERE local_work > 0;
CREATE INDEX executions_by_deadline ON executions (deadline_at_ms) WHERE deadline_at_ms IS NOT NULL;
-- Executions that ended in the same millisecond are in order of `log_id`.
CREATE INDEX executions_by_end ON executions (tenant_id, completed_at_ms) WHERE completed_at_ms IS NOT NULL;

-- The labels of `executions.labels` once more, to find executions by them. No foreign key: deleting an execution would look for
-- its labels by an index on its id, which nothing else needs; the trigger knows their keys.
CREATE TABLE execution_labels (
  tenant_id    TEXT NOT NULL,
  key          TEXT NOT NULL,
  execution_id TEXT NOT NULL,
  value        TEXT NOT NULL,
  PRIMARY KEY (tenant_id, key, execution_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX execution_labels_by_value ON execution_labels (tenant_id, key, value, execution_id);
CREATE TRIGGER execution_labels_go AFTER DELETE ON executions WHEN OLD.labels <> '{}' BEGIN
  DELETE FROM execution_labels
    WHERE tenant_id = OLD.tenant_id AND key IN (SELECT l.key FROM json_each(OLD.labels) l) AND execution_id = OLD.id;
END;

-- Snapshots, several per execution, and most executions have none: their log is short.
CREATE TABLE checkpoints (
  execution_id TEXT    NOT NULL,
  -- Of the event that the snapshot was taken after.
  seq          INTEGER NOT NULL,
  tenant_id    TEXT    NOT NULL,
  -- What the snapshot is sealed with.
  digest       TEXT    NOT NULL,
  snapshot     TEXT    NOT NULL,
  PRIMARY KEY (execution_id, seq),
  FOREIGN KEY (execution_id) REFERENCES executions (id)
) STRICT;

-- Approvals of all executions, so that those that wait for a decision are found without reading executions. Written with the commit that
-- asks, decides or withdraws; what was asked and decided is in the log.
CREATE TABLE approvals (
  execution_id     TEXT    NOT NULL,
  -- Of the event that asked.
  seq              INTEGER NOT NULL,
  tenant_id        TEXT    NOT NULL,
  workflow_id      TEXT    NOT NULL,
  node_id          TEXT    NOT NULL,
  activation       INTEGER NOT NULL,
  requested_at_ms  INTEGER NOT NULL,
  -- Null = the node waits for any time.
  expires_at_ms    INTEGER,
  -- Null = not decided.
  decided_at_ms    INTEGER,
  -- Of the event with the decision.
  decided_seq      INTEGER,
  -- The piece of the work that is asked about. Null = the work has only one.
  item             INTEGER,
  PRIMARY KEY (execution_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX approvals_pending ON approvals (tenant_id, requested_at_ms, execution_id, seq) WHERE decided_at_ms IS NULL;
CREATE INDEX approvals_pending_by_workflow ON approvals (tenant_id, workflow_id, requested_at_ms, execution_id, seq)
  WHERE decided_at_ms IS NULL;
CREATE INDEX approvals_decided ON approvals (tenant_id, decided_at_ms, execution_id, seq) WHERE decided_at_ms IS NOT NULL;
CREATE INDEX approvals_decided_by_workflow ON approvals (tenant_id, workflow_id, decided_at_ms, execution_id, seq)
  WHERE decided_at_ms IS NOT NULL;

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
  -- The tool that is asked for: a worker claims only what it can do.
  tool                TEXT    NOT NULL,
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
  -- The work of a visit may have several pieces, each with attempts of its own. Null = it has only one.
  item                INTEGER,
  FOREIGN KEY (execution_id) REFERENCES executions (id)
) STRICT;
CREATE INDEX work_items_pending ON work_items (tenant_id, queue, created_at_ms) WHERE status = 'pending';
CREATE INDEX work_items_by_tool ON work_items (tenant_id, queue, tool, created_at_ms) WHERE status = 'pending';
CREATE INDEX work_items_unclaimed ON work_items (queue, id) WHERE status = 'pending';
CREATE INDEX work_items_open ON work_items (execution_id, node_id, activation, item) WHERE settled_at_ms IS NULL;
CREATE INDEX work_items_by_execution ON work_items (execution_id);
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
CREATE INDEX inbox_by_execution ON inbox (to_execution_id);

CREATE TABLE idempotency (
  tenant_id     TEXT    NOT NULL,
  scope         TEXT    NOT NULL,
  key           TEXT    NOT NULL,
  request_hash  TEXT    NOT NULL,
  response      TEXT    NOT NULL,
  -- The execution that a remembered request began, or that took it: with it the request is forgotten.
  execution_id  TEXT,
  created_at_ms INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, scope, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_execution ON idempotency (execution_id);

-- Tokens of the people on whose behalf executions act, sealed with a key that the database does not have. Deleted when the execution ends.
CREATE TABLE subject_tokens (
  execution_id  TEXT PRIMARY KEY,
  tenant_id     TEXT    NOT NULL,
  sealed        BLOB    NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE log_tenants (
  number INTEGER PRIMARY KEY,
  id     TEXT    NOT NULL UNIQUE
) STRICT;

-- Agents have negative numbers, so that the index of what agents did contains nothing else.
CREATE TABLE log_actors (
  number       INTEGER PRIMARY KEY,
  id           TEXT    NOT NULL,
  type         TEXT    NOT NULL,
  -- The name, from the body of a request, for which the actor says it acts.
  on_behalf_of TEXT
) STRICT;
-- NULLs are distinct in a unique index, so a missing name is told from an empty one by a column of its own.
CREATE UNIQUE INDEX log_actors_by_name ON log_actors (id, type, on_behalf_of IS NULL, coalesce(on_behalf_of, ''));
CREATE INDEX log_actors_by_other_name ON log_actors (on_behalf_of) WHERE on_behalf_of IS NOT NULL;

-- The log as entries: what one commit appended to one execution is one row, and its events are one text. Rows name executions, tenants
-- and actors by number. Appended at the end of the table, in the order of commits. An entry of n events stands for n positions, of which its own is the last.
CREATE TABLE log_entries (
  position INTEGER PRIMARY KEY,
  -- Of `executions`.
  log_id   INTEGER NOT NULL,
  -- Of the last event.
  seq      INTEGER NOT NULL,
  events   INTEGER NOT NULL,
  tenant   INTEGER NOT NULL,
  at_ms    INTEGER NOT NULL,
  actor    INTEGER NOT NULL,
  request  TEXT,
  -- The events (store/log/entry.ts): audit digests cover this text byte for byte.
  body     TEXT    NOT NULL,
  UNIQUE (log_id, seq)
) STRICT;
-- With the number of events, so that totals read the index alone.
CREATE INDEX log_entries_by_time ON log_entries (tenant, at_ms, events);
CREATE INDEX log_entries_by_agent ON log_entries (tenant, actor, at_ms) WHERE actor < 0;

-- SQLite gives the position of a removed last entry to the next one; each cut tells who stands beyond it to go on from there. An epoch is
-- the number of the last cut.
CREATE TABLE log_cuts (
  epoch       INTEGER PRIMARY KEY AUTOINCREMENT,
  last_row_id INTEGER NOT NULL
) STRICT;
CREATE TRIGGER log_cut AFTER DELETE ON log_entries
  WHEN old.position > (SELECT coalesce(max(position), 0) FROM log_entries)
BEGIN
  INSERT INTO log_cuts (last_row_id) SELECT coalesce(max(position), 0) FROM log_entries;
END;

-- Seals the positions that clients hold, so that they tell nothing of what other tenants do.
CREATE TABLE log_key (
  id  INTEGER PRIMARY KEY CHECK (id = 1),
  key BLOB NOT NULL
) STRICT;
INSERT INTO log_key (id, key) VALUES (1, randomblob(32));

-- Which executions retention has removed, and in which control event that is on record: their digests stay in the audit
-- blocks, and verification asks here why there are no rows to them. It believes only the control event, which is sealed.
CREATE TABLE removed_executions (
  execution_id TEXT    NOT NULL PRIMARY KEY,
  tenant_id    TEXT    NOT NULL,
  last_seq     INTEGER NOT NULL,
  control_seq  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The log of an execution with a data policy is written without personal data. Data of events as it was before it was redacted, which the
-- execution needs to run; erased at its end.
CREATE TABLE original_events (
  execution_id TEXT    NOT NULL,
  seq          INTEGER NOT NULL,
  tenant_id    TEXT    NOT NULL,
  -- Of the digest in the redacted event.
  salt         TEXT    NOT NULL,
  data         TEXT    NOT NULL,
  PRIMARY KEY (execution_id, seq)
) STRICT;

-- Executions with a data policy that have ended. Written with their end, so that none is forgotten.
CREATE TABLE erasures (
  execution_id TEXT    NOT NULL PRIMARY KEY,
  tenant_id    TEXT    NOT NULL,
  ended_at_ms  INTEGER NOT NULL,
  -- Null = originals are left.
  erased_at_ms INTEGER,
  -- When the data policy has the execution removed; null = the tenant's retention decides.
  remove_at_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX erasures_pending ON erasures (execution_id) WHERE erased_at_ms IS NULL;
CREATE INDEX erasures_by_removal ON erasures (tenant_id, remove_at_ms, execution_id) WHERE remove_at_ms IS NOT NULL;

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
CREATE INDEX control_events_by_time ON control_events (tenant_id, at_ms, type, actor_id);
-- What agents did themselves. Partial: what people and the runtime do, which is nearly all, pays nothing for it.
CREATE INDEX control_events_by_agent ON control_events (tenant_id, actor_id, at_ms) WHERE actor_type = 'agent';

-- One hash chain per database: SQLite lets one process write at a time, so every writer extends the same chain.
CREATE TABLE audit_chain (
  id TEXT NOT NULL PRIMARY KEY
) STRICT;
INSERT INTO audit_chain (id) VALUES (lower(hex(randomblob(16))));

CREATE TABLE audit_blocks (
  block     INTEGER PRIMARY KEY,
  at_ms     INTEGER NOT NULL,
  writer    TEXT    NOT NULL,
  -- Packed (store/audit/digest.ts): the streams that the commit appended to, and their digests.
  streams   BLOB    NOT NULL,
  hash      TEXT    NOT NULL,
  -- HMAC-SHA256 of the hash; null when no key was set.
  signature TEXT
) STRICT;

-- External workers by tenant; runtimes, which serve every tenant, under the tenant ''.
CREATE TABLE workers (
  tenant_id        TEXT    NOT NULL,
  kind             TEXT    NOT NULL CHECK (kind IN ('external', 'runtime')),
  id               TEXT    NOT NULL,
  queues           TEXT    NOT NULL,
  -- A JSON array of names; null: it claims every item of its queues.
  tools            TEXT,
  first_seen_at_ms INTEGER NOT NULL,
  last_seen_at_ms  INTEGER NOT NULL,
  claimed_total    INTEGER NOT NULL,
  stopped_at_ms    INTEGER,
  PRIMARY KEY (tenant_id, kind, id)
) STRICT, WITHOUT ROWID;

-- Rights that pass from one holder to the next: of several runtimes on one database, one at a time does what must be done once.
CREATE TABLE leases (
  name          TEXT    NOT NULL PRIMARY KEY,
  holder        TEXT    NOT NULL,
  expires_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who runs on this database; meaningful only while the lock file beside it is locked.
CREATE TABLE runtime_holder (
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  runtime_id    TEXT    NOT NULL,
  pid           INTEGER NOT NULL,
  started_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE tokens (
  id            TEXT    NOT NULL PRIMARY KEY,
  tenant_id     TEXT    NOT NULL,
  name          TEXT    NOT NULL,
  role          TEXT    NOT NULL,
  hash          TEXT    NOT NULL UNIQUE,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER,
  revoked_at_ms INTEGER,
  -- The token whose sign-in link this one comes from; it is revoked with it. Null = it comes from none.
  parent_id     TEXT,
  -- JSON list of the only queues whose work a token of role worker may do. Null = all.
  queues        TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_tenant ON tokens (tenant_id, created_at_ms);
CREATE INDEX tokens_by_parent ON tokens (parent_id, expires_at_ms) WHERE parent_id IS NOT NULL;

-- One-time links by which a browser signs in. The code itself is not stored.
CREATE TABLE sign_in_links (
  -- SHA-256 of the code, hex.
  code_hash     TEXT    PRIMARY KEY,
  tenant_id     TEXT    NOT NULL,
  -- The token that made the link.
  token_id      TEXT    NOT NULL,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  -- Null = not used.
  used_at_ms    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_links_by_token ON sign_in_links (tenant_id, token_id, created_at_ms);
CREATE INDEX sign_in_links_by_expiry ON sign_in_links (expires_at_ms);

-- Agents: who can be found, how to reach them, when they were last heard of.
CREATE TABLE agents (
  tenant_id            TEXT    NOT NULL,
  -- The one its card gives.
  id                   TEXT    NOT NULL,
  uuid                 TEXT    NOT NULL,
  name                 TEXT    NOT NULL,
  status               TEXT    NOT NULL CHECK (status IN ('registered', 'active', 'paused', 'deactivated', 'archived')),
  status_since_at_ms   INTEGER NOT NULL,
  -- Counts the changes that were logged: a change is made to the version it was decided on.
  version              INTEGER NOT NULL,
  -- Sequence of the control event that registered it first: lists go by it.
  registration         INTEGER NOT NULL,
  registered_at_ms     INTEGER NOT NULL,
  updated_at_ms        INTEGER NOT NULL,
  last_heartbeat_at_ms INTEGER,
  card                 TEXT    NOT NULL,
  UNIQUE (tenant_id, id),
  UNIQUE (tenant_id, uuid)
) STRICT;
CREATE INDEX agents_by_registration ON agents (tenant_id, registration);
CREATE INDEX agents_by_status ON agents (tenant_id, status, registration);

-- What agents are found by: `skill:…`, `protocol:…`, `trust_domain:…`.
CREATE TABLE agent_traits (
  tenant_id TEXT NOT NULL,
  agent_id  TEXT NOT NULL,
  trait     TEXT NOT NULL,
  PRIMARY KEY (tenant_id, agent_id, trait)
) STRICT, WITHOUT ROWID;

-- Which control events tell of an agent.
CREATE TABLE agent_events (
  tenant_id TEXT    NOT NULL,
  agent_id  TEXT    NOT NULL,
  seq       INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, agent_id, seq)
) STRICT, WITHOUT ROWID;

-- What calls of agents were like, by tenant and address. Each call makes the earlier ones count less.
CREATE TABLE agent_outcomes (
  tenant_id     TEXT    NOT NULL,
  uri           TEXT    NOT NULL,
  -- Sums of calls, each of which counts as a part of one.
  calls         REAL    NOT NULL,
  failures      REAL    NOT NULL,
  total_ms      REAL    NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, uri)
) STRICT, WITHOUT ROWID;

-- Webhooks: who is told of which events, and what is still to be delivered.
CREATE TABLE webhooks (
  id                   TEXT    NOT NULL PRIMARY KEY,
  tenant_id            TEXT    NOT NULL,
  url                  TEXT    NOT NULL,
  -- JSON: types of events in snake_case, or ["*"].
  events               TEXT    NOT NULL,
  -- Null = executions of any workflow.
  workflow_id          TEXT,
  description          TEXT,
  enabled              INTEGER NOT NULL,
  disabled_reason      TEXT,
  -- A signature needs the secret itself.
  secret               TEXT    NOT NULL,
  -- Signs beside the new one until then.
  previous_secret      TEXT,
  previous_until_ms    INTEGER,
  created_at_ms        INTEGER NOT NULL,
  updated_at_ms        INTEGER NOT NULL,
  last_delivered_at_ms INTEGER,
  last_failed_at_ms    INTEGER,
  last_failure         TEXT,
  -- Attempts that failed since the last that did not.
  failures             INTEGER NOT NULL DEFAULT 0,
  -- Gone for everybody; the row stays until its deliveries have been removed.
  deleted_at_ms        INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX webhooks_by_tenant ON webhooks (tenant_id, id) WHERE deleted_at_ms IS NULL;
CREATE INDEX webhooks_deleted ON webhooks (id) WHERE deleted_at_ms IS NOT NULL;

-- How far events have been matched with webhooks: a position in the log.
CREATE TABLE webhook_cursor (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  position TEXT NOT NULL
) STRICT;

-- One event for one webhook. What is sent is made from the log then. Of the pending deliveries of one execution to one webhook,
-- exactly one has a time for its next attempt: the others wait for it.
CREATE TABLE webhook_deliveries (
  webhook_id         TEXT    NOT NULL,
  id                 TEXT    NOT NULL,
  tenant_id          TEXT    NOT NULL,
  execution_id       TEXT    NOT NULL,
  seq                INTEGER NOT NULL,
  type               TEXT    NOT NULL,
  status             TEXT    NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
  attempts           INTEGER NOT NULL,
  next_attempt_at_ms INTEGER,
  last_attempt_at_ms INTEGER,
  -- HTTP status; null when there was no answer.
  last_status        INTEGER,
  last_error         TEXT,
  created_at_ms      INTEGER NOT NULL,
  settled_at_ms      INTEGER,
  PRIMARY KEY (webhook_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_deliveries_next ON webhook_deliveries (webhook_id, next_attempt_at_ms) WHERE next_attempt_at_ms IS NOT NULL;
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (webhook_id, execution_id, seq) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_by_status ON webhook_deliveries (webhook_id, status, id);
CREATE INDEX webhook_deliveries_settled ON webhook_deliveries (status, settled_at_ms) WHERE settled_at_ms IS NOT NULL;

-- Workflows that are started by the clock. `next_run_at_ms` is null while a job is paused, and once its schedule has no more times.
CREATE TABLE cron_jobs (
  id                TEXT    NOT NULL PRIMARY KEY,
  tenant_id         TEXT    NOT NULL,
  name              TEXT    NOT NULL,
  expression        TEXT    NOT NULL,
  timezone          TEXT    NOT NULL,
  workflow_id       TEXT    NOT NULL,
  -- Null = whatever is the latest version when it runs.
  workflow_version  TEXT,
  missed            TEXT    NOT NULL CHECK (missed IN ('skip', 'catch_up')),
  overlap           TEXT    NOT NULL CHECK (overlap IN ('allow', 'skip', 'cancel_running')),
  enabled           INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  next_run_at_ms    INTEGER,
  last_run_at_ms    INTEGER,
  last_execution_id TEXT,
  last_error        TEXT,
  created_at_ms     INTEGER NOT NULL,
  -- Last, so that looking for due jobs never reads it.
  input             TEXT    NOT NULL,
  UNIQUE (tenant_id, name)
) STRICT;
CREATE INDEX cron_jobs_due ON cron_jobs (next_run_at_ms, id) WHERE next_run_at_ms IS NOT NULL;

-- One action on every execution that matches a filter. Ids sort by time, like those of executions: the job is about those before it.
CREATE TABLE jobs (
  id              TEXT    NOT NULL PRIMARY KEY,
  tenant_id       TEXT    NOT NULL,
  action          TEXT    NOT NULL,
  filter          TEXT    NOT NULL,
  reason          TEXT,
  -- Who asked for it, in whose name it acts.
  actor_id        TEXT    NOT NULL,
  actor_type      TEXT    NOT NULL,
  request         TEXT,
  created_at_ms   INTEGER NOT NULL,
  updated_at_ms   INTEGER NOT NULL,
  completed_at_ms INTEGER,
  status          TEXT    NOT NULL CHECK (status IN ('running', 'completed', 'cancelled', 'failed')),
  -- Null until they are counted.
  matched         INTEGER,
  succeeded       INTEGER NOT NULL,
  skipped         INTEGER NOT NULL,
  failed          INTEGER NOT NULL,
  -- JSON: the first few.
  errors          TEXT    NOT NULL,
  -- The last execution it has come to; null before the first.
  position        TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX jobs_by_tenant ON jobs (tenant_id, id);
CREATE INDEX jobs_running ON jobs (tenant_id, id) WHERE status = 'running';

-- The executions that a bulk job has retried, to tell what has become of them. Removed with the execution.
CREATE TABLE retried_executions (
  job_id       TEXT NOT NULL,
  execution_id TEXT NOT NULL,
  tenant_id    TEXT NOT NULL,
  PRIMARY KEY (job_id, execution_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX retried_executions_by_execution ON retried_executions (execution_id);

-- Bytes by their hash, once per tenant: uploaded by clients, or outputs too large for the log.
CREATE TABLE artifacts (
  tenant_id     TEXT    NOT NULL,
  hash          TEXT    NOT NULL,
  media_type    TEXT,
  size          INTEGER NOT NULL,
  -- 1 = uploaded: kept whatever refers to it. 0 = kept while an execution refers to it.
  pinned        INTEGER NOT NULL CHECK (pinned IN (0, 1)),
  created_at_ms INTEGER NOT NULL,
  content       BLOB    NOT NULL,
  UNIQUE (tenant_id, hash)
) STRICT;

-- Which executions' logs refer to which artifacts.
CREATE TABLE artifact_refs (
  execution_id TEXT NOT NULL,
  hash         TEXT NOT NULL,
  tenant_id    TEXT NOT NULL,
  PRIMARY KEY (execution_id, hash),
  FOREIGN KEY (tenant_id, hash) REFERENCES artifacts (tenant_id, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX artifact_refs_by_hash ON artifact_refs (tenant_id, hash);

-- Memory: texts that are found by the words they contain.
CREATE TABLE memory_namespaces (
  number        INTEGER PRIMARY KEY,
  tenant_id     TEXT    NOT NULL,
  name          TEXT    NOT NULL,
  -- Totals of its items: how many they are, their size, and the words they contain.
  items         INTEGER NOT NULL,
  bytes         INTEGER NOT NULL,
  words         INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  UNIQUE (tenant_id, name)
) STRICT;

CREATE TABLE memory_items (
  number        INTEGER PRIMARY KEY,
  tenant_id     TEXT    NOT NULL,
  -- Of `memory_namespaces`.
  namespace     INTEGER NOT NULL,
  id            TEXT    NOT NULL,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  -- Null: it is kept until it is deleted.
  expires_at_ms INTEGER,
  bytes         INTEGER NOT NULL,
  -- How many words are in `terms`.
  words         INTEGER NOT NULL,
  -- JSON object.
  metadata      TEXT    NOT NULL,
  text          TEXT    NOT NULL,
  -- The words by which it is found (store/resources/memory/words.ts), each with the namespace before it, separated by spaces.
  terms         TEXT    NOT NULL,
  UNIQUE (namespace, id)
) STRICT;
CREATE INDEX memory_items_by_number ON memory_items (namespace, number);
CREATE INDEX memory_items_by_expiry ON memory_items (expires_at_ms) WHERE expires_at_ms IS NOT NULL;

-- Terms are made by this program: the tokenizer only splits them at the spaces.
CREATE VIRTUAL TABLE memory_index USING fts5 (terms, content = 'memory_items', content_rowid = 'number', columnsize = 0,
  tokenize = "ascii tokenchars '_'");
-- Nothing of a deleted text stays in the index.
INSERT INTO memory_index (memory_index, rank) VALUES ('secure-delete', 1);
CREATE VIRTUAL TABLE memory_terms USING fts5vocab (memory_index, 'row');

CREATE TRIGGER memory_items_added AFTER INSERT ON memory_items BEGIN
  INSERT INTO memory_index (rowid, terms) VALUES (new.number, new.terms);
END;

CREATE TRIGGER memory_items_removed AFTER DELETE ON memory_items BEGIN
  INSERT INTO memory_index (memory_index, rowid, terms) VALUES ('delete', old.number, old.terms);
END;

CREATE TRIGGER memory_items_changed AFTER UPDATE OF terms ON memory_items WHEN new.terms <> old.terms BEGIN
  INSERT INTO memory_index (memory_index, rowid, terms) VALUES ('delete', old.number, old.terms);
  INSERT INTO memory_index (rowid, terms) VALUES (new.number, new.terms);
END;

-- The bytes that each tenant with `max_storage_bytes` stores. Other tenants have no rows. While there are rows, triggers count in the
-- transactions that write and delete (store/resources/queries/storage.ts): without a limit, no commit pays for them.
CREATE TABLE tenant_storage (
  tenant_id     TEXT NOT NULL,
  -- The table whose rows are counted.
  source        TEXT NOT NULL,
  -- Null until the first count is complete.
  bytes         INTEGER,
  -- Of a count in progress: the bytes up to its place, the key of a row in one or two columns. Null = none is in progress.
  recount_bytes INTEGER,
  counted_to    ANY,
  counted_to2   ANY,
  PRIMARY KEY (tenant_id, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX tenants_with_storage_limit ON tenants (id) WHERE json_extract(limits, '$.max_storage_bytes') IS NOT NULL;

-- The log for those who read the database with other tools: one row per event. store/log/shapes.ts has the form of the texts that this reads.

-- How the events of each type are stored. Opening the database adds what the release knows beyond it.
CREATE TABLE event_types (
  letter       TEXT    NOT NULL PRIMARY KEY,
  type         TEXT    NOT NULL UNIQUE,
  -- 1: the events concern the whole execution.
  of_execution INTEGER NOT NULL,
  -- A JSON array of the fields of the data: `key`, `value` (the index of the value in the line) and `default`, as JSON text; `actor` = the actor.
  fields       TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE VIEW events AS
SELECT
  n.id AS tenant_id,
  x.id AS execution_id,
  e.seq - e.events + event.key + 1 AS seq,
  json_extract(event.value, '$[0]') AS type,
  json_extract(event.value, '$[1]') AS node_id,
  strftime('%Y-%m-%dT%H:%M:%fZ', e.at_ms / 1000.0, 'unixepoch') AS at,
  e.at_ms,
  coalesce(a.id, 'missing actor ' || e.actor) AS actor_id,
  coalesce(a.type, 'system') AS actor_type,
  a.on_behalf_of,
  json_extract(event.value, '$[2]') AS data
FROM log_entries e
JOIN executions x ON x.log_id = e.log_id
LEFT JOIN log_tenants n ON n.number = e.tenant
LEFT JOIN log_actors a ON a.number = e.actor
JOIN json_each((
  SELECT json_group_array(json_array(type, node_id, data)) FROM (
    SELECT
      type,
      max(own_node) OVER (PARTITION BY named) AS node_id,
      CASE
        WHEN whole LIKE '*"%' THEN json_extract(substr(whole, 2), '$')
        WHEN whole LIKE '*%' THEN substr(whole, 2)
        ELSE '{' || coalesce((
          SELECT group_concat(json_quote(key) || ':' || text) FROM (
            SELECT
              json_extract(field.value, '$.key') AS key,
              CASE coalesce(json_extract(parts, '$[' || json_extract(field.value, '$.value') || ']'), '')
                WHEN '-' THEN NULL
                WHEN '' THEN CASE json_extract(field.value, '$.default')
                  WHEN 'actor' THEN json_quote(coalesce(a.id, 'missing actor ' || e.actor))
                  ELSE json_extract(field.value, '$.default')
                END
                ELSE json_extract(parts, '$[' || json_extract(field.value, '$.value') || ']')
              END AS text
            FROM json_each(fields) field
            ORDER BY field.key
          ) WHERE text IS NOT NULL
        ), '') || '}'
      END AS data
    FROM (
      SELECT
        line, parts, fields, type, whole,
        CASE WHEN node LIKE '"%' THEN json_extract(node, '$') WHEN node NOT IN ('', 'null') THEN node END AS own_node,
        -- Counts the events whose line says which node they have; the next ones have the same.
        sum(of_execution OR node <> '') OVER (ORDER BY line) AS named
      FROM (
        SELECT
          part.key AS line,
          part.value AS parts,
          coalesce(t.fields, '[]') AS fields,
          coalesce(t.of_execution, 0) AS of_execution,
          CASE
            WHEN t.letter IS NOT NULL THEN t.type
            WHEN json_extract(part.value, '$[0]') LIKE '*"%' THEN json_extract(substr(json_extract(part.value, '$[0]'), 2), '$')
            ELSE substr(json_extract(part.value, '$[0]'), 2)
          END AS type,
          CASE WHEN t.letter IS NULL THEN json_extract(part.value, '$[1]') ELSE substr(json_extract(part.value, '$[0]'), 2) END AS node,
          coalesce(json_extract(part.value, CASE WHEN t.letter IS NULL THEN '$[2]' ELSE '$[1]' END), '') AS whole
        FROM json_each(
          -- An array of lines, each an array of its parts. The text begins with a line feed.
          '[["' || replace(replace(replace(replace(substr(e.body, 2),
            '\', '\\'), '"', '\"'), char(9), '","'), char(10), '"],["') || '"]]'
        ) part
        LEFT JOIN event_types t ON t.letter = substr(json_extract(part.value, '$[0]'), 1, 1)
      )
    )
    ORDER BY line
  )
)) event;

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

-- Keys of live executions: a workflow has one live execution with a key at most. The row is removed when the execution ends.
CREATE TABLE execution_keys (
  tenant_id    TEXT NOT NULL,
  workflow_id  TEXT NOT NULL,
  key          TEXT NOT NULL,
  execution_id TEXT NOT NULL,
  PRIMARY KEY (tenant_id, workflow_id, key)
) STRICT, WITHOUT ROWID;
