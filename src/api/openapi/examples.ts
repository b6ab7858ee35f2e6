import type { Json } from '../../../machines/json.ts';
import { VERSION } from '../../server/config.ts';

interface Example {
  readonly request?: Json;
  readonly response?: Json;
}

const EXECUTION_ID = 'exec_0199c4d2a1b27c3d8e4f5a6b7c8d9e0f';
const REVISION = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const QUERY = { query: 'Latest AI agent frameworks?' };

const ITEM = {
  execution_id: EXECUTION_ID,
  id: EXECUTION_ID,
  tenant_id: 'default',
  workflow_id: 'research-agent',
  workflow_version: '0.1.0',
  revision: REVISION,
  status: 'completed',
  labels: {},
  steps_executed: 3,
  sequence: 9,
  segment_number: 0,
  created_at: '2026-03-12T10:00:00.000Z',
  started_at: '2026-03-12T10:00:00.000Z',
  updated_at: '2026-03-12T10:00:04.000Z',
  completed_at: '2026-03-12T10:00:04.000Z',
} as const;

const TENANT = {
  id: 'acme',
  name: 'Acme Corp',
  status: 'active',
  created_at: '2026-03-12T10:00:00.000Z',
  updated_at: '2026-03-12T10:00:00.000Z',
} as const;

const STATE = { ...QUERY, answer: '...' };

/** The examples of the API reference by route, completed with the fields it omits. A test validates each against its schema. */
export const EXAMPLES: Readonly<Record<string, Example>> = {
  'GET /health': { response: { status: 'ok', version: VERSION } },
  'POST /workflows': {
    request: {
      ir: {
        workflow_id: 'research-agent',
        version: '0.1.0',
        state_schema: { type: 'object', properties: { query: { type: 'string' }, answer: { type: 'string' } } },
        nodes: {
          search: { kind: { type: 'tool', tool_ref: 'web_search', input_mapping: { query: '{{ state.query }}' } } },
          synthesize: { kind: { type: 'python_fn', module: 'research', function: 'synthesize' } },
        },
        edges: [
          { from: 'search', to: 'synthesize' },
          { from: 'synthesize', to: 'end' },
        ],
      },
    },
    response: { workflow_id: 'research-agent', version: '0.1.0', revision: REVISION, warnings: [] },
  },
  'POST /executions': {
    request: { workflow_id: 'research-agent', workflow_version: '0.1.0', input: QUERY },
    response: { execution_id: EXECUTION_ID },
  },
  'GET /executions': { response: { executions: [ITEM], limit: 50, offset: 0, next_cursor: null } },
  'GET /executions/:id': {
    response: { ...ITEM, state: STATE, current_state: STATE, input: QUERY, initial_input: QUERY, output: STATE },
  },
  'GET /executions/:id/events': {
    response: {
      events: [
        event(1, 'WorkflowStarted', 'workflow_started', null, '2026-03-12T10:00:00.000Z', {
          workflow_id: 'research-agent',
          workflow_version: '0.1.0',
          initial_input: QUERY,
        }),
        event(2, 'NodeCompleted', 'node_completed', 'search', '2026-03-12T10:00:00.200Z', completion('search', 200)),
        event(3, 'NodeCompleted', 'node_completed', 'synthesize', '2026-03-12T10:00:02.040Z', completion('synthesize', 1840)),
      ],
    },
  },
  'POST /executions/:id/cancel': {
    request: { reason: 'no longer needed' },
    response: { execution_id: EXECUTION_ID, status: 'cancelled' },
  },
  'POST /executions/:id/approve': {
    request: {
      decision: 'approved',
      node_id: 'manager-review',
      user_id: 'user-42',
      comment: 'Looks good, proceed.',
      state_patch: { priority: 'high' },
    },
    response: { execution_id: EXECUTION_ID, node_id: 'manager-review', accepted: true },
  },
  'POST /executions/:id/external-event': {
    request: { correlation_key: 'payment-received', payload: { amount: 500, currency: 'USD' } },
    response: { execution_id: EXECUTION_ID, accepted: true, matched: true, buffered: false, node_id: 'await-payment' },
  },
  'POST /agents': {
    request: {
      id: 'research-agent',
      uri: 'http://localhost:7701',
      name: 'Research Agent',
      description: 'Searches the web and synthesizes reports.',
      version: '0.1.0',
      capabilities: {
        skills: [
          {
            name: 'research',
            description: 'Deep research on any topic',
            input_schema: { type: 'object', properties: { query: { type: 'string' } } },
            output_schema: { type: 'object', properties: { report: { type: 'string' } } },
          },
        ],
        protocols: ['a2a'],
        tools_provided: ['web_search'],
        tools_consumed: [],
      },
      autonomy: 'guided',
      auth: { type: 'bearer_token' },
    },
  },
  'POST /agents/discover': { request: { url: 'https://remote-agent.example.com' } },
  'POST /agents/:id/activate': { response: { agent_id: 'research-agent', status: 'active' } },
  'POST /agents/:id/deactivate': { response: { agent_id: 'research-agent', status: 'deactivated' } },
  'POST /agents/:id/heartbeat': { response: { agent_id: 'research-agent', ok: true } },
  'GET /audit': {
    response: {
      items: [
        {
          id: 'audit_001',
          event_id: '0c9d4f6e-5b1a-8f20-9e3d-000000000002',
          execution_id: EXECUTION_ID,
          sequence: 2,
          event_type: 'node_completed',
          actor_id: 'agent:research-agent',
          actor_type: 'agent',
          created_at: '2026-03-12T10:00:02.000Z',
          raw_event: { type: 'node_completed', node_id: 'search' },
          tenant_id: 'default',
          redacted: false,
        },
      ],
      total: 42,
      limit: 50,
      offset: 0,
      next_cursor: null,
    },
  },
  'POST /tenants': {
    request: { id: 'acme', name: 'Acme Corp' },
    response: { tenant_id: 'acme', ...TENANT },
  },
  'PUT /tenants/:id': {
    request: {
      name: 'Acme Corporation',
      status: 'active',
      policy: { blocked_tools: ['shell.*'], require_approval_for: ['payments.*'] },
      limits: { max_concurrent_executions: 100 },
    },
    response: { tenant_id: 'acme', updated: true, ...TENANT, name: 'Acme Corporation' },
  },
};

function event(sequence: number, kind: string, type: string, node: string | null, created_at: string, data: Json): Json {
  return {
    id: `0c9d4f6e-5b1a-8f20-9e3d-00000000000${sequence}`,
    execution_id: EXECUTION_ID,
    sequence,
    kind,
    node_id: node,
    created_at,
    actor_id: type === 'workflow_started' ? 'backend' : 'rt_0199c0de00000000',
    type,
    data,
  };
}

function completion(node_id: string, duration_ms: number): Json {
  return { node_id, activation: 1, output: '...', state_patch: { [node_id]: '...' }, duration_ms };
}
