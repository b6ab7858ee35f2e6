import { card } from './agents.ts';
import { nameOf, type Route } from './routes.ts';

export interface WorstRequest {
  readonly url: string;
  readonly body?: unknown;
  /** Sent unchanged. */
  readonly rawBody?: string;
  readonly contentType?: string;
}

/** What the requests are about, all in one database that is full. */
export interface Subjects {
  readonly execution: string;
  /** Executions that can be changed: they wait for a person or, the last one, for an event. */
  readonly waiting: readonly string[];
  /** Work items that are claimed. */
  readonly claimed: readonly string[];
  readonly parent: string;
  readonly workItem: string;
  readonly webhook: string;
  readonly link: string;
}

type Requests = (subjects: Subjects) => readonly (string | WorstRequest)[];

export const MAX_BODY = 64 * 1024;
const texts = (count: number, length = 8): string[] => Array.from({ length: count }, (_, n) => `${n}`.padStart(length, 'x'));
/** As many as fit into the largest body. */
const fill = (part: string, around = 200): string =>
  part.repeat(Math.floor((MAX_BODY - around) / (Buffer.byteLength(JSON.stringify(part)) - 2)));
const fields = (count: number, value: unknown = 1): Record<string, unknown> =>
  Object.fromEntries(texts(count).map((name) => [name, value]));
const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);

/** For routes without worse ones of their own. */
const BODIES: readonly unknown[] = [
  fields(4_500),
  { id: fill('é', 30_000), name: fill('x', 40_000) },
  nested(250),
  texts(5_000),
  { a: fill('<>&"\\', 300) },
];

/** A document of 64 KB, with any node that is given. */
const workflow = (nodes: object, edges: readonly object[], more: object = {}): WorstRequest => ({
  url: '/workflows',
  body: { ir: { workflow_id: 'w', version: '1', nodes, edges, ...more } },
});
const chain = (count: number, node: object) => {
  const names = texts(count, 1);
  return [
    Object.fromEntries(names.map((name) => [`n${name}`, node])),
    names.map((name, n) => ({ from: `n${name}`, to: n === count - 1 ? 'end' : `n${n + 1}` })),
  ] as const;
};
const TOOL = { kind: { type: 'tool', tool_ref: 't' } };
/** Every node leads to every other. */
const mesh = (count: number) =>
  texts(count, 1).flatMap((from) => texts(count, 1).map((to) => ({ from: `n${from}`, to: `n${to}`, condition: 'state.a == 1' })));

const PII = fill('a1 4111 1111 1111 1111 jo@x.io +1 555 0100 10.0.0.1 ', 400);

const LISTS: Readonly<Record<string, readonly string[]>> = {
  'GET /agents': ['?limit=1000', '?skill=none', '?status=active&offset=9000', '?offset=1000000000'],
  'GET /agents/search': [`?skills=${texts(500, 4).join(',')}`, '?skills=common&trust_domain=none'],
  'GET /approvals': ['?limit=500', '?status=decided&limit=500', '?workflow_id=review&limit=500'],
  'GET /audit': [
    '?limit=200',
    '?offset=99000',
    '?event_type=nothing',
    '?event_type=workflow_started',
    '?actor_id=unknown&event_type=token_created',
  ],
  'GET /executions': [
    '?limit=1000',
    '?offset=49000',
    '?status=completed',
    '?label=env%3Dtest&status=running&workflow_id=review&version=2',
    '?label=env%3Dprod&limit=1000',
    '?id=ffff',
    '?id=00000000',
    '?error=nothing',
    `?${Array.from({ length: 60 }, () => 'label=env%3Dprod').join('&')}`,
  ],
  'GET /executions/counts': ['', '?label=env%3Dprod', '?workflow_id=review&version=2', '?status=running'],
  'GET /executions/errors': ['?limit=1000', '?label=env%3Dprod'],
  'GET /jobs': ['?limit=200'],
  'GET /memory': ['?limit=1000'],
  'GET /threads': ['?limit=1000', '?limit=1000&cursor=5000-1'],
  'GET /tenants': ['?limit=1000', '?offset=100000000'],
  'GET /workflows': ['?limit=1000', '?offset=9900'],
  'GET /api/v1/workflows': ['?limit=1000'],
  'GET /workflows/:workflow_id/revisions': ['?limit=1000', '?offset=900'],
};

const WRITES: Readonly<Record<string, Requests>> = {
  'POST /workflows': () => [
    workflow(...chain(600, TOOL)),
    workflow(Object.fromEntries(texts(25, 1).map((n) => [`n${n}`, TOOL])), mesh(25)),
    workflow(Object.fromEntries(texts(1_500, 1).map((n) => [`n${n}`, {}])), []),
    workflow(
      {
        a: { kind: { type: 'condition', branches: texts(900).map((n) => ({ condition: `state.a == '${n}'`, target: 'b' })) } },
        b: TOOL,
      },
      [],
    ),
    workflow({ a: { kind: { type: 'condition', branches: [{ condition: fill('(', 2_000), target: 'b' }] } }, b: TOOL }, []),
    workflow(
      {
        a: { kind: { type: 'condition', branches: [{ condition: `${fill('!(state.a) or ', 2_000)}true`, target: 'b' }] } },
        b: TOOL,
      },
      [],
    ),
    workflow({ a: { kind: { type: 'parallel', branches: texts(2_000, 4) } } }, []),
    workflow({ a: { ...TOOL, input_mapping: fields(1_500, '{{ state.a }}{{ state.b }}') } }, []),
    workflow({ a: TOOL }, [], {
      data_policy: { fields: texts(5_000), detectors: ['email', 'phone', 'credit_card', 'ip_address'] },
    }),
    workflow({ a: TOOL }, [], {
      state_schema: { type: 'object', properties: fields(1_300, { type: 'string', pattern: '^(a+)+$' }) },
    }),
    workflow({ a: { kind: { type: 'model', model: 'm', prompt: fill('{{ state.a }}', 600) } } }, []),
    {
      url: '/workflows',
      contentType: 'application/yaml',
      rawBody: `workflow: { id: w }\nnodes:\n${fill('  a: { type: tool }\n')}`,
    },
    { url: '/workflows', contentType: 'application/yaml', rawBody: `a: &a [${fill('*a, ', 400)}*a]` },
    { url: '/workflows', contentType: 'application/yaml', rawBody: fill('- ') },
  ],
  'POST /executions': () => [
    { url: '/executions', body: { workflow_id: 'review', input: fields(4_000) } },
    {
      url: '/executions',
      body: {
        workflow_id: 'review',
        input: { text: PII.slice(0, 50_000) },
        labels: Object.fromEntries(texts(30, 20).map((n) => [n, n])),
      },
    },
    { url: '/executions', body: { workflow_id: 'guarded', input: { text: PII.slice(0, 50_000), list: texts(800) } } },
    { url: '/executions', body: { workflow_id: 'review', input: nested(240) } },
  ],
  'POST /executions/bulk': () => [
    { url: '/executions/bulk', body: { action: 'retry', filter: { label: 'env=prod', workflow_id: 'none' } } },
    { url: '/executions/bulk', body: { action: 'retry', filter: { label: 'env=prod', error: fill('x', 400) } } },
  ],
  'POST /executions/:id/approve': ({ execution }) => [
    {
      url: `/executions/${execution}/approve`,
      body: { decision: 'rejected', comment: 'x'.repeat(20_000), state_patch: fields(3_000) },
    },
  ],
  'POST /executions/:id/fork': ({ execution }) => [
    { url: `/executions/${execution}/fork?dry_run=true`, body: { at_sequence: 1, state_patch: fields(3_000, { a: 1 }) } },
  ],
  'POST /executions/:id/external-event': ({ waiting }) => [
    { url: `/executions/${waiting.at(-1)}/external-event`, body: { correlation_key: 'k', payload: fields(4_000, [1]) } },
    { url: `/executions/${waiting.at(-1)}/external-event`, body: { correlation_key: 'paid', payload: { text: PII } } },
  ],
  'POST /executions/:id/cancel': ({ waiting }) => [
    { url: `/executions/${waiting[0]}/cancel`, body: { reason: fill('x') } },
    { url: `/executions/${waiting[1]}/cancel`, body: { reason: 'x', ...fields(4_500) } },
  ],
  'POST /executions/:id/pause': ({ waiting }) => [{ url: `/executions/${waiting[2]}/pause`, body: fields(4_500) }],
  'POST /executions/:id/resume': ({ waiting }) => [{ url: `/executions/${waiting[2]}/resume`, body: fields(4_500) }],
  'POST /tokens': () => [{ url: '/tokens', body: { role: 'worker', queues: texts(64, 100) } }],
  'POST /webhooks': () => [{ url: '/webhooks', body: { url: 'https://a.example/y', enabled: false, ...fields(4_500) } }],
  'POST /tenants': () => [
    { url: '/tenants', body: { id: 'new', name: 'New', policy: { blocked_tools: texts(1_000) }, limits: fields(3) } },
    { url: '/tenants', body: { id: 'newer', name: 'Newer', policy: { blocked_tools: texts(4_000) } } },
  ],
  'POST /sign-in-links': () => [{ url: '/sign-in-links', body: { expires_in: '5m' } }],
  'POST /work-items': ({ execution }) => [
    { url: '/work-items', body: { execution_id: execution, node_id: 'review', payload: fields(4_000, [1]) } },
    { url: '/work-items', body: { execution_id: execution, node_id: 'review', payload: nested(240) } },
  ],
  'POST /work-items/:id/fail': ({ claimed }) => [
    { url: `/work-items/${claimed[1]}/fail`, body: { error: fill('x', 400), worker_id: 'w', lease_fence: 1 } },
  ],
  'POST /work-items/:id/heartbeat': ({ claimed }) => [
    { url: `/work-items/${claimed[2]}/heartbeat`, body: { worker_id: 'w', lease_fence: 1, ...fields(4_000) } },
  ],
  'PUT /tenants/:id/usage/:month': () => [
    { url: '/tenants/default/usage/2026-03', body: { tokens: 0, reason: 'x'.repeat(200), ...fields(4_000) } },
    { url: '/tenants/default/usage/2026-03', body: { tokens: 0, reason: 'x'.repeat(200) } },
  ],
  'POST /work-items/claim': () => [
    { url: '/work-items/claim', body: { worker_id: 'w', queue_types: texts(64, 3), tools: texts(1_000, 20), max_items: 1 } },
    { url: '/work-items/claim', body: { worker_id: 'w', queue_types: texts(4, 3), tools: texts(1_000, 20), max_items: 1 } },
  ],
  'POST /work-items/:id/complete': ({ workItem, claimed }) => [
    { url: `/work-items/${claimed[0]}/complete`, body: { output: fields(4_000, [1]), lease_fence: 1 } },
    { url: `/work-items/${workItem}/complete`, body: { output: { text: PII.slice(0, 50_000) }, state_patch: fields(100) } },
  ],
  'POST /memory/:namespace': () => [
    { url: '/memory/large', body: { items: texts(1_000, 4).map((id) => ({ id, text: 'a' })) } },
    { url: '/memory/large', body: { items: [{ text: Array.from({ length: 9_000 }, (_, n) => n.toString(36)).join(' ') }] } },
    { url: '/memory/large', body: { items: [{ text: fill('東京', 400) }] } },
    { url: '/memory/large', body: { items: [{ text: 'a', metadata: nested(200) }] } },
  ],
  'DELETE /memory/:namespace': () => ['/memory/large'],
  'GET /threads/:id/messages': () => ['/threads/large/messages?limit=1000', '/threads/large/messages?limit=1000&order=desc'],
  'POST /threads/:id/messages': () => [
    { url: '/threads/large/messages', body: { messages: texts(100, 4).map((content) => ({ role: 'user', content })) } },
    { url: '/threads/large/messages', body: { messages: [{ role: 'user', content: fill('東京', 200) }] } },
    {
      url: '/threads/large/messages',
      body: { messages: [{ role: 'user', content: [{ type: 'text', text: 'a', more: nested(200) }] }] },
    },
  ],
  'DELETE /threads/:id': () => ['/threads/large'],
  'GET /memory/:namespace': () => [
    '/memory/large?limit=1000',
    `/memory/large?query=${texts(1_500, 5).join('+')}`,
    `/memory/large?query=${Array.from({ length: 100 }, (_, n) => n.toString(36)).join('+')}&limit=100&filter=${encodeURIComponent(JSON.stringify(fields(400)))}`,
  ],
  'POST /agents': () => [
    {
      url: '/agents',
      body: {
        id: 'a',
        name: 'a',
        version: '1',
        uri: 'https://a.example',
        skills: texts(900).map((n) => ({ id: n, name: n, description: n })),
      },
    },
    { url: '/agents', body: card('b', { skills: texts(600).map((n) => ({ id: n, name: n, description: n })) }) },
  ],
  'POST /mcp': () => [
    { url: '/mcp', body: Array.from({ length: 32 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'tools/list' })) },
    { url: '/mcp', body: { jsonrpc: '2.0', id: 1, method: 'tools/list' } },
    {
      url: '/mcp',
      body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'jamjet_list_executions', arguments: fields(3_000) } },
    },
    { url: '/mcp', body: Array.from({ length: 1_000 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'ping' })) },
  ],
  'POST /a2a': () => [
    {
      url: '/a2a',
      body: {
        ...{ jsonrpc: '2.0', id: 1, method: 'message/send' },
        params: {
          message: { kind: 'message', messageId: 'm', role: 'user', parts: texts(900).map((text) => ({ kind: 'text', text })) },
        },
      },
    },
    { url: '/a2a', body: { jsonrpc: '2.0', id: 1, method: 'tasks/get', params: { id: fill('x'), historyLength: 1e9 } } },
    { url: '/a2a', body: { jsonrpc: '2.0', id: 1, method: 'tasks/list', params: { pageSize: 100 } } },
  ],
  'POST /cron': () => [
    { url: '/cron', body: { name: 'c', cron_expression: `${'0,'.repeat(30)}0 0 29 2 1`, workflow_id: 'review' } },
    { url: '/cron', body: { name: 'c', cron_expression: fill('*,', 400), workflow_id: 'review' } },
    { url: '/cron', body: { name: 'c', cron_expression: '0 0 31 2 *', workflow_id: 'review', input: fields(3_000) } },
  ],
  'POST /artifacts': () => [{ url: '/artifacts', rawBody: fill('x'), contentType: 'application/octet-stream' }],
  'PUT /tenants/:id': () => [
    {
      url: '/tenants/default',
      body: { policy: { blocked_tools: texts(4_000), require_approval_for: texts(1_000, 4), model_allowlist: [] } },
    },
    { url: '/tenants/default', body: { policy: null } },
  ],
  'POST /sign-in': ({ link }) => [
    { url: '/sign-in', body: { code: fill('x', 400) } },
    { url: '/sign-in', body: { code: link } },
  ],
};

/** The worst requests that are known for a route, of 64 KB at most. */
export function worstRequests(route: Route, subjects: Subjects): readonly WorstRequest[] {
  const name = nameOf(route);
  const url = withSubjects(route, subjects);
  const own = WRITES[name]?.(subjects).map((request) => (typeof request === 'string' ? { url: request } : request)) ?? [];
  const lists = (LISTS[name] ?? []).map((query) => ({ url: `${url}${query}` }));
  if (own.length + lists.length > 0) return [...own, ...lists];
  return route.method === 'GET' || route.method === 'DELETE' ? [{ url }] : BODIES.map((body) => ({ url, body }));
}

/** Where a parameter leads, by the first segment of the path. Throws for a resource that is missing here. */
function withSubjects({ url }: Route, { execution, workItem, webhook }: Subjects): string {
  const [, first = '', , second = ''] = url.replace(/^\/api\/v1/, '').split('/');
  const known: Readonly<Record<string, readonly string[]>> = {
    ...{
      executions: [execution, 'review'],
      'work-items': [workItem],
      webhooks: [webhook, 'd000000001'],
      workflows: ['versions'],
    },
    ...{
      agents: ['registered'],
      artifacts: ['0'.repeat(64)],
      cron: ['cron1'],
      jobs: [`job_${'0'.repeat(31)}1`],
      tenants: ['default', '2026-03'],
    },
    ...{ tokens: ['none'], memory: ['large', 'none'], threads: ['large'], docs: ['none'], console: ['none'] },
  };
  let at = 0;
  return url.replaceAll(/:\w+/g, () => {
    const value = known[first]?.[at];
    at += 1;
    if (value === undefined) throw new Error(`say in worst-requests.ts what ${url} (${second}) is about`);
    return value;
  });
}
