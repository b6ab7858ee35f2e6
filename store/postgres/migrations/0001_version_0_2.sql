-- Times are milliseconds since the epoch. Every row belongs to a tenant. JSON is text: it is kept byte for byte, which the
-- audit digests rely on.

CREATE TABLE tenants (
  id            text   NOT NULL COLLATE "C" PRIMARY KEY,
  name          text   NOT NULL,
  status        text   NOT NULL CHECK (status IN ('active', 'suspended', 'archived')),
  -- JSON objects as they were given; null = none.
  policy        text,
  limits        text,
  created_at_ms bigint NOT NULL,
  updated_at_ms bigint NOT NULL
);
-- Tenants that are not active: few, looked up whenever a tenant is changed, since nothing of theirs may begin.
CREATE INDEX tenants_inactive ON tenants (id) WHERE status <> 'active';
-- Who keeps ended executions for a limited time only.
CREATE INDEX tenants_with_retention ON tenants (id) WHERE (limits::jsonb ->> 'retention_days')::numeric > 0;
INSERT INTO tenants (id, name, status, created_at_ms, updated_at_ms)
  SELECT 'default', 'Default', 'active', at_ms, at_ms FROM (SELECT (extract(epoch FROM now()) * 1000)::bigint AS at_ms) AS now;

-- What nodes have reported, added up in the commits that hold the reports. Several rows a month, each written by some of the connections:
-- commits of many processes would wait for each other at a single one. What was used is their sum.
CREATE TABLE tenant_usage (
  tenant_id text             NOT NULL,
  -- `2026-03`, in UTC.
  month     text             NOT NULL,
  slot      integer          NOT NULL,
  tokens    bigint           NOT NULL,
  cost_usd  double precision NOT NULL,
  PRIMARY KEY (tenant_id, month, slot)
) WITH (fillfactor = 50);

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

-- What was registered under each version of a workflow, and by whom. Content that is registered again changes its row.
CREATE TABLE workflow_revisions (
  tenant_id              text    NOT NULL,
  workflow_id            text    NOT NULL COLLATE "C",
  version                text    NOT NULL,
  revision               text    NOT NULL,
  first_registered_at_ms bigint  NOT NULL,
  first_registered_by    text    NOT NULL,
  -- The last time: sequence of the control event, time and actor.
  registration           integer NOT NULL,
  registered_at_ms       bigint  NOT NULL,
  registered_by          text    NOT NULL,
  PRIMARY KEY (tenant_id, workflow_id, revision, version)
);
CREATE INDEX workflow_revisions_latest ON workflow_revisions (tenant_id, workflow_id, registration);

-- Revisions of workflows by number: their hashes would be a third of a head.
CREATE TABLE log_revisions (
  number integer NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  hash   text    NOT NULL UNIQUE
);

-- The head of an execution. Half of each page is left free, so that a batch that moves every execution of a page finds room on it.
CREATE TABLE executions (
  id               text    NOT NULL COLLATE "C" PRIMARY KEY,
  -- A short number for its log.
  log_id           bigint  GENERATED ALWAYS AS IDENTITY,
  tenant_id        text    NOT NULL,
  workflow_id      text    NOT NULL,
  workflow_version text    NOT NULL,
  -- Of `log_revisions`.
  revision         integer NOT NULL,
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
  completed_at_ms  bigint
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX executions_by_log ON executions (log_id);
CREATE INDEX executions_by_tenant ON executions (tenant_id, id);
-- A list by several conditions steps through one index for each, all in order of id (lists/leapfrog-join.ts). So an index holds its condition
-- and the id.
CREATE INDEX executions_by_status ON executions (tenant_id, status, id);
CREATE INDEX executions_by_workflow ON executions (tenant_id, workflow_id, id);
CREATE INDEX executions_by_version ON executions (tenant_id, workflow_id, workflow_version, id);
CREATE INDEX executions_by_parent ON executions (tenant_id, parent_id, id) WHERE parent_id IS NOT NULL;
-- Without the owner, which nothing looks up, and which would have to be changed in all indexes.
CREATE INDEX executions_with_local_work ON executions (id) WHERE local_work > 0;
CREATE INDEX executions_by_deadline ON executions (deadline_at_ms) WHERE deadline_at_ms IS NOT NULL;
-- Executions that ended in the same millisecond are in order of `log_id`.
CREATE INDEX executions_by_end ON executions (tenant_id, completed_at_ms, log_id) WHERE completed_at_ms IS NOT NULL;

-- The labels of `executions.labels` once more, to find executions by them.
CREATE TABLE execution_labels (
  tenant_id    text NOT NULL,
  key          text NOT NULL,
  execution_id text NOT NULL COLLATE "C",
  value        text NOT NULL,
  PRIMARY KEY (tenant_id, key, execution_id)
);
CREATE INDEX execution_labels_by_value ON execution_labels (tenant_id, key, value, execution_id);

-- Snapshots, several per execution, and most executions have none: their log is short.
CREATE TABLE checkpoints (
  execution_id text    NOT NULL COLLATE "C",
  -- Of the event that the snapshot was taken after.
  seq          integer NOT NULL,
  tenant_id    text    NOT NULL,
  -- What the snapshot is sealed with.
  digest       text    NOT NULL,
  snapshot     text    NOT NULL,
  PRIMARY KEY (execution_id, seq)
);

-- Approvals of all executions, so that those that wait for a decision are found without reading executions. Written with the commit that
-- asks, decides or withdraws; what was asked and decided is in the log.
CREATE TABLE approvals (
  execution_id     text    NOT NULL COLLATE "C",
  -- Of the event that asked.
  seq              integer NOT NULL,
  tenant_id        text    NOT NULL,
  workflow_id      text    NOT NULL,
  node_id          text    NOT NULL,
  activation       integer NOT NULL,
  requested_at_ms  bigint  NOT NULL,
  -- Null = the node waits for any time.
  expires_at_ms    bigint,
  -- Null = not decided.
  decided_at_ms    bigint,
  -- Of the event with the decision.
  decided_seq      integer,
  -- The piece of the work that is asked about. Null = the work has only one.
  item             integer,
  PRIMARY KEY (execution_id, seq)
);
CREATE INDEX approvals_pending ON approvals (tenant_id, requested_at_ms, execution_id, seq) WHERE decided_at_ms IS NULL;
CREATE INDEX approvals_pending_by_workflow ON approvals (tenant_id, workflow_id, requested_at_ms, execution_id, seq)
  WHERE decided_at_ms IS NULL;
CREATE INDEX approvals_decided ON approvals (tenant_id, decided_at_ms, execution_id, seq) WHERE decided_at_ms IS NOT NULL;
CREATE INDEX approvals_decided_by_workflow ON approvals (tenant_id, workflow_id, decided_at_ms, execution_id, seq)
  WHERE decided_at_ms IS NOT NULL;

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
  -- The tool that is asked for: a worker claims only what it can do.
  tool                text    COLLATE "C" NOT NULL,
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
  payload             text    NOT NULL,
  -- The work of a visit may have several pieces, each with attempts of its own. Null = it has only one.
  item                integer
);
CREATE INDEX work_items_pending ON work_items (tenant_id, queue, created_at_ms, position) WHERE status = 'pending';
CREATE INDEX work_items_by_tool ON work_items (tenant_id, queue, tool, created_at_ms, position) WHERE status = 'pending';
CREATE INDEX work_items_unclaimed ON work_items (queue, id) WHERE status = 'pending';
CREATE INDEX work_items_open ON work_items (execution_id, node_id, activation, item) WHERE settled_at_ms IS NULL;
CREATE INDEX work_items_by_execution ON work_items (execution_id);
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
CREATE INDEX inbox_by_execution ON inbox (to_execution_id);

CREATE TABLE idempotency (
  tenant_id     text    NOT NULL,
  scope         text    NOT NULL,
  key           text    NOT NULL,
  request_hash  text    NOT NULL,
  response      text    NOT NULL,
  -- The execution that a remembered request began, or that took it: with it the request is forgotten.
  execution_id  text    COLLATE "C",
  created_at_ms bigint  NOT NULL,
  PRIMARY KEY (tenant_id, scope, key)
);
CREATE INDEX idempotency_by_execution ON idempotency (tenant_id, execution_id) WHERE execution_id IS NOT NULL;

-- Tokens of the people on whose behalf executions act, sealed with a key that the database does not have. Deleted when the execution ends.
CREATE TABLE subject_tokens (
  execution_id  text   COLLATE "C" PRIMARY KEY,
  tenant_id     text   COLLATE "C" NOT NULL,
  sealed        bytea  NOT NULL,
  created_at_ms bigint NOT NULL
);

CREATE TABLE log_actors (
  number       integer NOT NULL PRIMARY KEY,
  tenant_id    text    NOT NULL,
  -- A hash of the columns below, which may be too long for a key.
  key          text    NOT NULL,
  id           text    NOT NULL,
  type         text    NOT NULL,
  on_behalf_of text,
  UNIQUE (tenant_id, key)
);
CREATE INDEX log_actors_by_id ON log_actors (tenant_id, id);
CREATE INDEX log_actors_on_behalf_of ON log_actors (tenant_id, on_behalf_of) WHERE on_behalf_of IS NOT NULL;
CREATE SEQUENCE log_actor_numbers AS integer;

-- An entry takes as many positions as it can have events. A transaction may become visible after one with higher positions:
-- `jamjet_settled` tells up to where nothing can come any more.
CREATE SEQUENCE log_positions INCREMENT BY 256 START WITH 256;

-- The log as entries: one row per execution and commit, which holds the events of the commit as one text.
CREATE TABLE log_entries (
  -- Of the last event: an entry of n events takes the positions up to this one, from the n - 1st before it.
  position  bigint   NOT NULL PRIMARY KEY,
  -- Of the execution.
  log_id    bigint   NOT NULL,
  at_ms     bigint   NOT NULL,
  -- Of the last event.
  seq       integer  NOT NULL,
  actor     integer  NOT NULL,
  -- How many there are.
  events    smallint NOT NULL,
  tenant_id text     NOT NULL,
  -- One token per event, for filters (log/type-tokens.ts).
  types     text     NOT NULL,
  -- JSON, or `=`: the same as in the entry before, of the same log.
  request   text,
  -- The events (log/entry.ts). The audit chain seals this text.
  body      text     NOT NULL
);
CREATE UNIQUE INDEX log_entries_by_execution ON log_entries (log_id, seq);
-- A tenant's log by time. What filters and totals ask for stands in the index.
CREATE INDEX log_entries_by_time ON log_entries (tenant_id, at_ms) INCLUDE (actor, events, types);
-- What agents did themselves.
CREATE INDEX log_entries_by_agent ON log_entries (actor, at_ms) WHERE actor < 0;
DO $$
BEGIN
  -- Not every server is built with it.
  ALTER TABLE log_entries ALTER COLUMN body SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported OR syntax_error THEN
  NULL;
END $$;

-- Of an SQLite file that was copied here. A position there has an epoch, which is the number of the last cut: rows beyond `last_row_id` were
-- removed then, and their numbers given again. So the cursor above, and what clients hold, is understood here.
CREATE TABLE log_cuts (
  epoch       bigint NOT NULL PRIMARY KEY,
  last_row_id bigint NOT NULL
);

-- Seals the positions that clients hold, so that they tell nothing of what other tenants do.
CREATE TABLE log_key (
  id  integer NOT NULL PRIMARY KEY CHECK (id = 1),
  key bytea   NOT NULL
);
INSERT INTO log_key (id, key) VALUES (1, sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));

-- Which executions retention has removed, and in which control event that is on record: their digests stay in the audit
-- blocks, and verification asks here why there are no rows to them. It believes only the control event, which is sealed.
CREATE TABLE removed_executions (
  execution_id text    NOT NULL COLLATE "C" PRIMARY KEY,
  tenant_id    text    NOT NULL,
  last_seq     integer NOT NULL,
  control_seq  integer NOT NULL
);

-- The log of an execution with a data policy is written without personal data. Data of events as it was before it was redacted, which the
-- execution needs to run; erased at its end.
CREATE TABLE original_events (
  execution_id text    NOT NULL COLLATE "C",
  seq          integer NOT NULL,
  tenant_id    text    NOT NULL,
  -- Of the digest in the redacted event.
  salt         text    NOT NULL,
  data         text    NOT NULL,
  PRIMARY KEY (execution_id, seq)
);

-- Executions with a data policy that have ended. Written with their end, so that none is forgotten.
CREATE TABLE erasures (
  execution_id text   NOT NULL COLLATE "C" PRIMARY KEY,
  tenant_id    text   NOT NULL,
  ended_at_ms  bigint NOT NULL,
  -- Null = originals are left.
  erased_at_ms bigint,
  -- When the data policy has the execution removed; null = the tenant's retention decides.
  remove_at_ms bigint
);
CREATE INDEX erasures_pending ON erasures (execution_id) WHERE erased_at_ms IS NULL;
CREATE INDEX erasures_by_removal ON erasures (tenant_id, remove_at_ms, execution_id) WHERE remove_at_ms IS NOT NULL;

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
CREATE INDEX control_events_by_time ON control_events (tenant_id, at_ms, seq) INCLUDE (type, actor_id);
-- What agents did themselves. Partial: what people and the runtime do, which is nearly all, pays nothing for it.
CREATE INDEX control_events_by_agent ON control_events (tenant_id, actor_id, at_ms, seq) WHERE actor_type = 'agent';

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
  -- What it seals, packed (audit/packed-streams.ts). Digests cannot be compressed, and the blocks of most commits are small enough for a row.
  streams   bytea  NOT NULL,
  hash      text   NOT NULL,
  -- HMAC-SHA256 of the hash; null when no key was set.
  signature text,
  -- The number of the block among those of all chains; `block` is its number in its own.
  position  bigint GENERATED ALWAYS AS IDENTITY,
  -- In the chain of an SQLite file that was copied here, which all its writers shared: whose commit the block seals. Null = the chain's own
  -- writer.
  sealed_by text,
  PRIMARY KEY (writer, block)
) WITH (toast_tuple_target = 8160);
CREATE UNIQUE INDEX audit_blocks_by_position ON audit_blocks (position);
ALTER TABLE audit_blocks ALTER COLUMN streams SET STORAGE EXTERNAL;

-- Ends the statement, and with it the commit, unless as many rows were found as the caller knows must be there.
CREATE FUNCTION jamjet_expect(actual bigint, expected bigint, what text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF actual <> expected THEN
    RAISE EXCEPTION USING ERRCODE = 'JJ001', MESSAGE = what;
  END IF;
  RETURN true;
END $$;

-- A writer's transaction begins with a lock that names its connection (WRITES in queries/positions.ts), before it takes a position.

-- The last positions that were taken, once every transaction that may have taken one of them has ended: what a later statement does not
-- see up to there will never be. Waits for the transactions under way now, one by one, and not for later ones.
CREATE FUNCTION jamjet_settled(OUT event bigint, OUT block bigint) LANGUAGE plpgsql AS $$
DECLARE
  writer integer;
BEGIN
  SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO event FROM log_positions;
  SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO block FROM audit_blocks_position_seq;
  FOR writer IN
    SELECT l.objid::bigint::integer FROM pg_locks l
    WHERE l.locktype = 'advisory' AND l.classid = 1247898954 AND l.objsubid = 2 AND l.granted AND l.mode = 'ExclusiveLock'
      AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
  LOOP
    PERFORM pg_advisory_lock_shared(1247898954, writer);
    PERFORM pg_advisory_unlock_shared(1247898954, writer);
  END LOOP;
END $$;

-- External workers by tenant; runtimes, which serve every tenant, under the tenant ''.
CREATE TABLE workers (
  tenant_id        text    NOT NULL,
  kind             text    NOT NULL CHECK (kind IN ('external', 'runtime')),
  id               text    NOT NULL COLLATE "C",
  queues           text    NOT NULL,
  -- A JSON array of names; null: it claims every item of its queues.
  tools            text,
  first_seen_at_ms bigint  NOT NULL,
  last_seen_at_ms  bigint  NOT NULL,
  claimed_total    bigint  NOT NULL,
  stopped_at_ms    bigint,
  PRIMARY KEY (tenant_id, kind, id)
);

-- Rights that pass from one holder to the next: of several runtimes on one database, one at a time does what must be done once.
CREATE TABLE leases (
  name          text   NOT NULL PRIMARY KEY,
  holder        text   NOT NULL,
  expires_at_ms bigint NOT NULL
);

CREATE TABLE tokens (
  id            text   NOT NULL COLLATE "C" PRIMARY KEY,
  tenant_id     text   NOT NULL,
  name          text   NOT NULL,
  role          text   NOT NULL,
  hash          text   NOT NULL UNIQUE,
  created_at_ms bigint NOT NULL,
  expires_at_ms bigint,
  revoked_at_ms bigint,
  -- The token whose sign-in link this one comes from; it is revoked with it. Null = it comes from none.
  parent_id     text   COLLATE "C",
  -- JSON list of the only queues whose work a token of role worker may do. Null = all.
  queues        text
);
CREATE INDEX tokens_by_tenant ON tokens (tenant_id, created_at_ms);
CREATE INDEX tokens_by_parent ON tokens (parent_id, expires_at_ms) WHERE parent_id IS NOT NULL;

-- One-time links by which a browser signs in. The code itself is not stored.
CREATE TABLE sign_in_links (
  -- SHA-256 of the code, hex.
  code_hash     text   COLLATE "C" PRIMARY KEY,
  tenant_id     text   COLLATE "C" NOT NULL,
  -- The token that made the link.
  token_id      text   COLLATE "C" NOT NULL,
  created_at_ms bigint NOT NULL,
  expires_at_ms bigint NOT NULL,
  -- Null = not used.
  used_at_ms    bigint
);
CREATE INDEX sign_in_links_by_token ON sign_in_links (tenant_id, token_id, created_at_ms);
CREATE INDEX sign_in_links_by_expiry ON sign_in_links (expires_at_ms);

-- Agents: who can be found, how to reach them, when they were last heard of.
CREATE TABLE agents (
  tenant_id            text    NOT NULL,
  -- The one its card gives.
  id                   text    NOT NULL,
  uuid                 text    NOT NULL,
  name                 text    NOT NULL,
  status               text    NOT NULL CHECK (status IN ('registered', 'active', 'paused', 'deactivated', 'archived')),
  status_since_at_ms   bigint  NOT NULL,
  -- Counts the changes that were logged: a change is made to the version it was decided on.
  version              integer NOT NULL,
  -- Sequence of the control event that registered it first: lists go by it.
  registration         integer NOT NULL,
  registered_at_ms     bigint  NOT NULL,
  updated_at_ms        bigint  NOT NULL,
  last_heartbeat_at_ms bigint,
  card                 text    NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, uuid)
) WITH (fillfactor = 70);
CREATE INDEX agents_by_registration ON agents (tenant_id, registration);
CREATE INDEX agents_by_status ON agents (tenant_id, status, registration);

-- What agents are found by: `skill:…`, `protocol:…`, `trust_domain:…`.
CREATE TABLE agent_traits (
  tenant_id text NOT NULL,
  agent_id  text NOT NULL,
  trait     text NOT NULL,
  PRIMARY KEY (tenant_id, agent_id, trait)
);

-- Which control events tell of an agent.
CREATE TABLE agent_events (
  tenant_id text    NOT NULL,
  agent_id  text    NOT NULL,
  seq       integer NOT NULL,
  PRIMARY KEY (tenant_id, agent_id, seq)
);

-- What calls of agents were like, by tenant and address. Each call makes the earlier ones count less.
CREATE TABLE agent_outcomes (
  tenant_id     text             NOT NULL,
  uri           text             NOT NULL COLLATE "C",
  -- Sums of calls, each of which counts as a part of one.
  calls         double precision NOT NULL,
  failures      double precision NOT NULL,
  total_ms      double precision NOT NULL,
  updated_at_ms bigint           NOT NULL,
  PRIMARY KEY (tenant_id, uri)
) WITH (fillfactor = 70);

-- Webhooks: who is told of which events, and what is still to be delivered.
CREATE TABLE webhooks (
  id                   text    NOT NULL COLLATE "C" PRIMARY KEY,
  tenant_id            text    NOT NULL,
  url                  text    NOT NULL,
  -- JSON: types of events in snake_case, or ["*"].
  events               text    NOT NULL,
  -- Null = executions of any workflow.
  workflow_id          text,
  description          text,
  enabled              boolean NOT NULL,
  disabled_reason      text,
  -- A signature needs the secret itself.
  secret               text    NOT NULL,
  -- Signs beside the new one until then.
  previous_secret      text,
  previous_until_ms    bigint,
  created_at_ms        bigint  NOT NULL,
  updated_at_ms        bigint  NOT NULL,
  last_delivered_at_ms bigint,
  last_failed_at_ms    bigint,
  last_failure         text,
  -- Attempts that failed since the last that did not.
  failures             integer NOT NULL DEFAULT 0,
  -- Gone for everybody; the row stays until its deliveries have been removed.
  deleted_at_ms        bigint
);
CREATE INDEX webhooks_by_tenant ON webhooks (tenant_id, id) WHERE deleted_at_ms IS NULL;
CREATE INDEX webhooks_deleted ON webhooks (id) WHERE deleted_at_ms IS NOT NULL;

-- How far events have been matched with webhooks: a position in the log.
CREATE TABLE webhook_cursor (
  id       integer NOT NULL PRIMARY KEY CHECK (id = 1),
  position text    NOT NULL
);

-- One event for one webhook. What is sent is made from the log then. Of the pending deliveries of one execution to one webhook,
-- exactly one has a time for its next attempt: the others wait for it. Whoever changes that holds the row of the webhook.
CREATE TABLE webhook_deliveries (
  webhook_id         text    NOT NULL COLLATE "C",
  id                 text    NOT NULL COLLATE "C",
  tenant_id          text    NOT NULL,
  execution_id       text    NOT NULL COLLATE "C",
  seq                integer NOT NULL,
  type               text    NOT NULL,
  status             text    NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
  attempts           integer NOT NULL,
  next_attempt_at_ms bigint,
  last_attempt_at_ms bigint,
  -- HTTP status; null when there was no answer.
  last_status        integer,
  last_error         text,
  created_at_ms      bigint  NOT NULL,
  settled_at_ms      bigint,
  PRIMARY KEY (webhook_id, id)
);
CREATE INDEX webhook_deliveries_next ON webhook_deliveries (webhook_id, next_attempt_at_ms) WHERE next_attempt_at_ms IS NOT NULL;
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (webhook_id, execution_id, seq) WHERE status = 'pending';
-- Begins with another column than the primary key: before anybody has counted the table, an index that begins like it looks as good, and
-- would be walked through from end to end.
CREATE INDEX webhook_deliveries_by_status ON webhook_deliveries (status, webhook_id, id);
CREATE INDEX webhook_deliveries_settled ON webhook_deliveries (status, settled_at_ms) WHERE settled_at_ms IS NOT NULL;

-- Workflows that are started by the clock. `next_run_at_ms` is null while a job is paused, and once its schedule has no more times.
CREATE TABLE cron_jobs (
  id                text    NOT NULL COLLATE "C" PRIMARY KEY,
  tenant_id         text    NOT NULL,
  name              text    NOT NULL COLLATE "C",
  expression        text    NOT NULL,
  timezone          text    NOT NULL,
  workflow_id       text    NOT NULL,
  -- Null = whatever is the latest version when it runs.
  workflow_version  text,
  missed            text    NOT NULL CHECK (missed IN ('skip', 'catch_up')),
  overlap           text    NOT NULL CHECK (overlap IN ('allow', 'skip', 'cancel_running')),
  enabled           boolean NOT NULL,
  next_run_at_ms    bigint,
  last_run_at_ms    bigint,
  last_execution_id text,
  last_error        text,
  created_at_ms     bigint  NOT NULL,
  -- Large ones are kept out of the row by the database itself: looking for due jobs never reads them.
  input             text    NOT NULL,
  UNIQUE (tenant_id, name)
);
CREATE INDEX cron_jobs_due ON cron_jobs (next_run_at_ms, id) WHERE next_run_at_ms IS NOT NULL;

-- One action on every execution that matches a filter. Ids sort by time, like those of executions: the job is about those before it.
CREATE TABLE jobs (
  id              text    NOT NULL COLLATE "C" PRIMARY KEY,
  tenant_id       text    NOT NULL,
  action          text    NOT NULL,
  filter          text    NOT NULL,
  reason          text,
  -- Who asked for it, in whose name it acts.
  actor_id        text    NOT NULL,
  actor_type      text    NOT NULL,
  request         text,
  created_at_ms   bigint  NOT NULL,
  updated_at_ms   bigint  NOT NULL,
  completed_at_ms bigint,
  status          text    NOT NULL CHECK (status IN ('running', 'completed', 'cancelled', 'failed')),
  -- Null until they are counted.
  matched         bigint,
  succeeded       bigint  NOT NULL,
  skipped         bigint  NOT NULL,
  failed          bigint  NOT NULL,
  -- JSON: the first few.
  errors          text    NOT NULL,
  -- The last execution it has come to; null before the first.
  position        text
);
CREATE INDEX jobs_by_tenant ON jobs (tenant_id, id);
CREATE INDEX jobs_running ON jobs (tenant_id, id) WHERE status = 'running';

-- The executions that a bulk job has retried, to tell what has become of them. Removed with the execution.
CREATE TABLE retried_executions (
  job_id       text NOT NULL COLLATE "C",
  execution_id text NOT NULL COLLATE "C",
  tenant_id    text NOT NULL,
  PRIMARY KEY (job_id, execution_id)
);
CREATE INDEX retried_executions_by_execution ON retried_executions (execution_id);

-- Bytes by their hash, once per tenant: uploaded by clients, or outputs too large for the log.
CREATE TABLE artifacts (
  tenant_id     text    NOT NULL,
  hash          text    NOT NULL,
  media_type    text,
  size          bigint  NOT NULL,
  -- True = uploaded: kept whatever refers to it. Else kept while an execution refers to it.
  pinned        boolean NOT NULL,
  created_at_ms bigint  NOT NULL,
  content       bytea   NOT NULL,
  PRIMARY KEY (tenant_id, hash)
);

-- Which executions' logs refer to which artifacts.
CREATE TABLE artifact_refs (
  execution_id text NOT NULL COLLATE "C",
  hash         text NOT NULL,
  tenant_id    text NOT NULL,
  PRIMARY KEY (execution_id, hash),
  FOREIGN KEY (tenant_id, hash) REFERENCES artifacts (tenant_id, hash)
);
CREATE INDEX artifact_refs_by_hash ON artifact_refs (tenant_id, hash);

-- Memory: texts that are found by the words they contain.
CREATE TABLE memory_namespaces (
  number        bigint  NOT NULL GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  tenant_id     text    NOT NULL,
  name          text    NOT NULL COLLATE "C",
  -- Totals of its items: how many they are, their size, and the words they contain.
  items         integer NOT NULL,
  bytes         bigint  NOT NULL,
  words         bigint  NOT NULL,
  created_at_ms bigint  NOT NULL,
  UNIQUE (tenant_id, name)
);

CREATE TABLE memory_items (
  number        bigint  NOT NULL GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  tenant_id     text    NOT NULL,
  -- Of `memory_namespaces`.
  namespace     bigint  NOT NULL,
  id            text    NOT NULL COLLATE "C",
  created_at_ms bigint  NOT NULL,
  updated_at_ms bigint  NOT NULL,
  -- Null: it is kept until it is deleted.
  expires_at_ms bigint,
  bytes         integer NOT NULL,
  -- How many words are in `terms`.
  words         integer NOT NULL,
  -- JSON object.
  metadata      text    NOT NULL,
  text          text    NOT NULL,
  -- The words by which it is found (store/resources/memory/words.ts), each with the namespace before it, separated by spaces.
  terms         text    NOT NULL,
  UNIQUE (namespace, id)
);
CREATE INDEX memory_items_by_number ON memory_items (namespace, number);
CREATE INDEX memory_items_by_expiry ON memory_items (expires_at_ms) WHERE expires_at_ms IS NOT NULL;

-- The full-text index: a table of its own, because an index of this type is not used below row-level security. Its terms name their
-- namespaces, and what is found is read from `memory_items`.
CREATE TABLE memory_index (
  item  bigint   NOT NULL PRIMARY KEY,
  terms tsvector NOT NULL
);
CREATE INDEX memory_index_by_term ON memory_index USING gin (terms);

-- Terms with the places at which they stand. Terms are letters, digits and `_`.
CREATE FUNCTION jamjet_terms(text) RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(string_agg(term || ':' || places, ' '), '')::tsvector FROM (
    SELECT term, string_agg(place::text, ',') AS places
    FROM unnest(string_to_array($1, ' ')) WITH ORDINALITY AS each (term, place) WHERE term <> '' GROUP BY term) terms
$$;

CREATE FUNCTION jamjet_memory_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    DELETE FROM memory_index WHERE item = old.number;
  ELSE
    INSERT INTO memory_index (item, terms) VALUES (new.number, jamjet_terms(new.terms))
      ON CONFLICT (item) DO UPDATE SET terms = excluded.terms;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER memory_items_changed AFTER INSERT OR UPDATE OF terms OR DELETE ON memory_items
  FOR EACH ROW EXECUTE FUNCTION jamjet_memory_changed();

-- The bytes that each tenant with `max_storage_bytes` stores, counted by the triggers below in the transactions that write and delete.
-- store/resources/queries/storage.ts says the same for a count of what is stored already. Other tenants have no rows.
CREATE TABLE tenant_storage (
  tenant_id     text    NOT NULL PRIMARY KEY,
  -- False until what was stored before the tenant had a row is counted, too.
  is_counted    boolean NOT NULL,
  -- Everything is to be counted, for the first time or anew.
  is_recounting boolean NOT NULL,
  -- Of complete counts: two at once must not both add what they found.
  counts        integer NOT NULL
);
-- What a tenant stores is the sum of its rows. Each transaction adds to a row that no other has locked: none waits for another.
CREATE TABLE tenant_storage_bytes (
  id        bigint NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id text   NOT NULL,
  -- The table whose rows are counted.
  source    text   NOT NULL,
  bytes     bigint NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX tenant_storage_bytes_by_source ON tenant_storage_bytes (tenant_id, source);
CREATE INDEX tenants_with_storage_limit ON tenants (id) WHERE (limits::jsonb ->> 'max_storage_bytes') IS NOT NULL;

CREATE FUNCTION jamjet_add_stored(tenant text, name text, added bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF added = 0 THEN
    RETURN;
  END IF;
  UPDATE tenant_storage_bytes SET bytes = bytes + added WHERE id = (
    SELECT b.id FROM tenant_storage_bytes b WHERE b.tenant_id = tenant AND b.source = name LIMIT 1 FOR UPDATE SKIP LOCKED);
  IF NOT FOUND THEN
    INSERT INTO tenant_storage_bytes (tenant_id, source, bytes) VALUES (tenant, name, added);
  END IF;
END $$;

DO $$
DECLARE
  one record;
BEGIN
  FOR one IN SELECT * FROM (VALUES
    ('log_entries', 'octet_length(r.body) + coalesce(octet_length(r.request), 0)', NULL),
    ('original_events', 'octet_length(r.data)', NULL),
    ('checkpoints', 'octet_length(r.snapshot)', NULL),
    ('control_events', 'octet_length(r.data) + coalesce(octet_length(r.request), 0)', NULL),
    ('artifacts', 'r.size', NULL),
    ('memory_namespaces', 'r.bytes', 'bytes'),
    ('webhook_deliveries', '512', NULL),
    ('work_items', 'CASE r.payload WHEN ''{}'' THEN 0 ELSE octet_length(r.payload) END', 'payload'),
    ('revisions', 'octet_length(r.source)', NULL),
    ('agents', 'octet_length(r.card)', 'card'),
    ('cron_jobs', 'octet_length(r.input)', NULL)
  ) AS counted (source, bytes, changed)
  LOOP
    EXECUTE format($definition$
      CREATE FUNCTION jamjet_%1$s_stored() RETURNS trigger LANGUAGE plpgsql AS $body$
      BEGIN
        PERFORM jamjet_add_stored(r.tenant_id, %1$L, sum(%2$s)::bigint * CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END)
          FROM changed r JOIN tenant_storage s ON s.tenant_id = r.tenant_id GROUP BY r.tenant_id;
        RETURN NULL;
      END $body$;
      CREATE TRIGGER stored AFTER INSERT ON %1$I REFERENCING NEW TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION jamjet_%1$s_stored();
      CREATE TRIGGER unstored AFTER DELETE ON %1$I REFERENCING OLD TABLE AS changed
        FOR EACH STATEMENT EXECUTE FUNCTION jamjet_%1$s_stored();
    $definition$, one.source, one.bytes);
    CONTINUE WHEN one.changed IS NULL;
    EXECUTE format($definition$
      CREATE FUNCTION jamjet_%1$s_restored() RETURNS trigger LANGUAGE plpgsql AS $body$
      BEGIN
        PERFORM jamjet_add_stored(s.tenant_id, %1$L, %2$s - %3$s) FROM tenant_storage s WHERE s.tenant_id = new.tenant_id;
        RETURN NULL;
      END $body$;
      CREATE TRIGGER restored AFTER UPDATE OF %4$I ON %1$I FOR EACH ROW WHEN (new.%4$I <> old.%4$I)
        EXECUTE FUNCTION jamjet_%1$s_restored();
    $definition$, one.source, replace(one.bytes, 'r.', 'new.'), replace(one.bytes, 'r.', 'old.'), one.changed);
  END LOOP;
END $$;

-- The log for those who read the database with other tools: one row per event. store/log/shapes.ts has the form of the texts that this reads.

-- How the events of each type are stored. Opening the database adds what the release knows beyond it.
CREATE TABLE event_types (
  letter       text    NOT NULL COLLATE "C" PRIMARY KEY,
  type         text    NOT NULL UNIQUE,
  -- The events concern the whole execution.
  of_execution boolean NOT NULL,
  -- An array of the fields of the data: `key`, `value` (the index of the value in the line) and `default`, as JSON text; `actor` = the actor.
  fields       json    NOT NULL
);

CREATE VIEW events AS
SELECT
  e.tenant_id,
  x.id AS execution_id,
  e.seq - e.events + event.line::integer AS seq,
  event.type,
  event.node_id,
  to_timestamp(e.at_ms / 1000.0) AS at,
  e.at_ms,
  coalesce(a.id, 'missing actor ' || e.actor) AS actor_id,
  coalesce(a.type, 'system') AS actor_type,
  a.on_behalf_of,
  CASE
    WHEN event.whole LIKE '*"%' THEN (substr(event.whole, 2)::json #>> '{}')::json
    WHEN event.whole LIKE '*%' THEN substr(event.whole, 2)::json
    ELSE ('{' || coalesce((
      SELECT string_agg(to_json(key)::text || ':' || text, ',' ORDER BY place) FROM (
        SELECT
          place,
          field ->> 'key' AS key,
          CASE coalesce(event.parts[(field ->> 'value')::integer + 1], '')
            WHEN '-' THEN NULL
            WHEN '' THEN CASE field ->> 'default'
              WHEN 'actor' THEN to_json(coalesce(a.id, 'missing actor ' || e.actor))::text
              ELSE field ->> 'default'
            END
            ELSE event.parts[(field ->> 'value')::integer + 1]
          END AS text
        FROM json_array_elements(event.fields) WITH ORDINALITY AS f (field, place)
      ) AS texts WHERE text IS NOT NULL
    ), '') || '}')::json
  END AS data
FROM log_entries e
JOIN executions x ON x.log_id = e.log_id
LEFT JOIN log_actors a ON a.number = e.actor
CROSS JOIN LATERAL (
  SELECT line, parts, fields, type, whole, max(own_node) OVER (PARTITION BY named) AS node_id FROM (
    SELECT
      line, parts, fields, type, whole,
      CASE WHEN node LIKE '"%' THEN node::json #>> '{}' WHEN node NOT IN ('', 'null') THEN node END AS own_node,
      -- Counts the events whose line says which node they have; the next ones have the same.
      count(*) FILTER (WHERE of_execution OR node <> '') OVER (ORDER BY line) AS named
    FROM (
      SELECT
        line,
        parts,
        t.fields,
        coalesce(t.of_execution, false) AS of_execution,
        CASE
          WHEN t.letter IS NOT NULL THEN t.type
          WHEN parts[1] LIKE '*"%' THEN substr(parts[1], 2)::json #>> '{}'
          ELSE substr(parts[1], 2)
        END AS type,
        CASE WHEN t.letter IS NULL THEN parts[2] ELSE substr(parts[1], 2) END AS node,
        CASE WHEN t.letter IS NULL THEN parts[3] ELSE parts[2] END AS whole
      -- The text begins with a line feed.
      FROM unnest(string_to_array(substr(e.body, 2), chr(10))) WITH ORDINALITY AS lines (text, line)
      CROSS JOIN LATERAL (SELECT string_to_array(text, chr(9)) AS parts) AS of_line
      LEFT JOIN event_types t ON t.letter = left(text, 1)
    ) AS headed
  ) AS named_once
) AS event;

-- Readers then need the right to read these tables, and row security applies to them instead of to the owner.
DO $$
BEGIN
  IF current_setting('server_version_num')::integer >= 150000 THEN
    ALTER VIEW events SET (security_invoker = true);
  END IF;
END $$;

-- Threads: conversations that executions read and continue.
CREATE TABLE threads (
  -- Never used twice, so that a turn that has read a thread does not append to another one of the same id.
  number        bigint  NOT NULL GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  tenant_id     text    NOT NULL,
  id            text    NOT NULL COLLATE "C",
  -- Totals of its messages, and of the summary: how many they are, and their size.
  messages      integer NOT NULL,
  bytes         bigint  NOT NULL,
  -- Sequence of the last message.
  last          integer NOT NULL,
  -- What the messages up to `summarised` say. Null: there is none.
  summary       text,
  summarised    integer NOT NULL,
  created_at_ms bigint  NOT NULL,
  updated_at_ms bigint  NOT NULL,
  UNIQUE (tenant_id, id)
);
CREATE INDEX threads_by_change ON threads (tenant_id, updated_at_ms, number);

CREATE TABLE thread_messages (
  -- Of `threads`.
  thread        bigint  NOT NULL,
  sequence      integer NOT NULL,
  tenant_id     text    NOT NULL,
  bytes         integer NOT NULL,
  -- Whose turn has appended it. Null: a request has.
  execution_id  text,
  node_id       text,
  activation    integer,
  created_at_ms bigint  NOT NULL,
  -- JSON object.
  message       text    NOT NULL,
  PRIMARY KEY (thread, sequence)
);

-- The bytes of threads, like those of the tables above (`tenant_storage`).
CREATE FUNCTION jamjet_threads_stored() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM jamjet_add_stored(r.tenant_id, 'threads', sum(r.bytes)::bigint * CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END)
    FROM changed r JOIN tenant_storage s ON s.tenant_id = r.tenant_id GROUP BY r.tenant_id;
  RETURN NULL;
END $$;
CREATE TRIGGER stored AFTER INSERT ON threads REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION jamjet_threads_stored();
CREATE TRIGGER unstored AFTER DELETE ON threads REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION jamjet_threads_stored();
CREATE FUNCTION jamjet_threads_restored() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM jamjet_add_stored(s.tenant_id, 'threads', new.bytes - old.bytes) FROM tenant_storage s WHERE s.tenant_id = new.tenant_id;
  RETURN NULL;
END $$;
CREATE TRIGGER restored AFTER UPDATE OF bytes ON threads FOR EACH ROW WHEN (new.bytes <> old.bytes)
  EXECUTE FUNCTION jamjet_threads_restored();

-- Keys of live executions: a workflow has one live execution with a key at most. The row is removed when the execution ends.
CREATE TABLE execution_keys (
  tenant_id    text NOT NULL,
  workflow_id  text NOT NULL COLLATE "C",
  key          text NOT NULL COLLATE "C",
  execution_id text NOT NULL,
  PRIMARY KEY (tenant_id, workflow_id, key)
);

-- What is erased or deleted must not go on as a sample in the statistics of its column.
ALTER TABLE original_events ALTER COLUMN data SET STATISTICS 0;
ALTER TABLE checkpoints ALTER COLUMN snapshot SET STATISTICS 0;
ALTER TABLE work_items ALTER COLUMN payload SET STATISTICS 0;
