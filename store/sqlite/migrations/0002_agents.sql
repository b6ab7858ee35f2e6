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

-- What agents did themselves. Partial: what people and the runtime do, which is nearly all, pays nothing for it.
CREATE INDEX events_by_agent ON events (tenant_id, actor_id, at_ms) WHERE actor_type = 'agent';
CREATE INDEX control_events_by_agent ON control_events (tenant_id, actor_id, at_ms) WHERE actor_type = 'agent';
