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

-- What agents did themselves. Partial: what people and the runtime do, which is nearly all, pays nothing for it.
CREATE INDEX events_by_agent ON events (tenant_id, actor_id, at_ms, execution_id, seq) WHERE actor_type = 'agent';
CREATE INDEX control_events_by_agent ON control_events (tenant_id, actor_id, at_ms, seq) WHERE actor_type = 'agent';
