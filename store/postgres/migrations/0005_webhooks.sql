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
CREATE INDEX webhook_deliveries_by_status ON webhook_deliveries (webhook_id, status, id);
CREATE INDEX webhook_deliveries_settled ON webhook_deliveries (status, settled_at_ms) WHERE settled_at_ms IS NOT NULL;

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
