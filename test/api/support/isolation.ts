import { createHash } from 'node:crypto';
import type { JsonObject } from '../../../machines/json.ts';
import { card } from './agents.ts';
import { type Api, EXTERNAL, REVIEW } from './api.ts';
import { answer, type Route } from './routes.ts';
import { createTenant } from './tenants.ts';

/** Never ends, so that its execution always has in-process work. */
export const HANGING_TOOLS = { hang: () => new Promise(() => undefined) };

/** A tenant with one of each resource, named after the tenant. */
export interface TenantFixture {
  readonly tenantId: string;
  /** Token of its operator. */
  readonly token: string;
  /** By the first segment of their routes: `executions` → id of an execution. */
  readonly ids: Readonly<Record<string, string>>;
  /** Texts that no other tenant may see. */
  readonly traces: readonly string[];
}

/** Well-formed ids that do not exist. */
export const UNKNOWN: Readonly<Record<string, string>> = {
  executions: `exec_${'0'.repeat(32)}`,
  'work-items': '00000000-0000-4000-8000-000000000000',
  workflows: 'no-such-thing',
  tokens: '00000000-0000-4000-8000-000000000000',
  tenants: 'no-such-thing',
  agents: 'no-such-thing',
  cron: 'no-such-thing',
  artifacts: '0'.repeat(64),
  memory: 'no-such-thing',
  'memory/': 'no-such-thing',
  threads: 'no-such-thing',
  jobs: 'job_00000000000000000000000000000000',
  webhooks: '00000000-0000-4000-8000-000000000000',
  // What is under a webhook: a delivery.
  'webhooks/': '00000000-0000-4000-8000-000000000000',
};

/** Routes of names that need not be in use yet. */
export const FREE_NAMES = [
  ...['GET', 'POST', 'DELETE'].map((method) => `${method} /memory/:namespace`),
  'POST /threads/:id/messages',
];

/** `background`: background services run, so no webhook may be enabled. */
export async function populate(api: Api, tenantId: string, background = false): Promise<TenantFixture> {
  await createTenant(api, tenantId);
  const token = await api.token('operator', { tenantId, name: `${tenantId}-boss` });
  const call = async (method: string, url: string, body?: unknown): Promise<JsonObject> => {
    const { status, text } = await answer(api, { method, url }, token, body);
    if (status >= 300) throw new Error(`${method} ${url} answered ${status}: ${text}`);
    return JSON.parse(text) as JsonObject;
  };
  const hook = { url: `https://${tenantId}.example/hook`, description: `${tenantId}-hook`, enabled: !background };
  const webhook = String((await call('POST', '/webhooks', hook)).id);
  const start = async (document: JsonObject, kind: string): Promise<string> => {
    const workflow_id = `${tenantId}-${kind}`;
    await call('POST', '/workflows', { ir: { ...document, workflow_id } });
    const labels = { owner: tenantId };
    return String(
      (await call('POST', '/executions', { workflow_id, input: { secret: `${tenantId}-input` }, labels })).execution_id,
    );
  };
  const waiting = await start(EXTERNAL, 'external');
  const parked = await start(REVIEW, 'review');
  const busy = await start(HANG, 'hang');
  const ended = await start(REVIEW, 'review');
  await call('POST', `/executions/${ended}/cancel`, { reason: `${tenantId}-reason` });
  const claim = { worker_id: `${tenantId}-worker`, queue_types: ['python_tool'] };
  const item = (await call('POST', '/work-items/claim', claim)).work_item as JsonObject;
  const made = await call('POST', '/tokens', { role: 'viewer', name: `${tenantId}-viewer` });
  const bytes = `${tenantId}-bytes`;
  await call('POST', '/artifacts?media_type=text/plain', bytes);
  await call('POST', '/agents', card(`${tenantId}-agent`, { uri: `http://${tenantId}.example` }));
  const agent = await call('POST', `/agents/${tenantId}-agent/activate`);
  await call('POST', '/cron', { name: `${tenantId}-cron`, cron_expression: '0 9 * * *', workflow_id: `${tenantId}-review` });
  await call('POST', `/memory/${tenantId}-memory`, { items: [{ id: `${tenantId}-item`, text: `${tenantId} text` }] });
  await call('POST', `/threads/${tenantId}-thread/messages`, { messages: [{ role: 'user', content: `${tenantId} message` }] });
  const job = await call('POST', '/executions/bulk', { action: 'pause', filter: { label: `owner=${tenantId}` } });
  // Creating a webhook records deliveries of earlier commits for existing webhooks.
  await call('POST', '/webhooks', { url: `https://${tenantId}.example/late`, enabled: false });
  const { deliveries } = await call('GET', `/webhooks/${webhook}/deliveries`);
  const [delivery] = deliveries as readonly JsonObject[];
  const ids = {
    executions: parked,
    'work-items': String(item.id),
    workflows: `${tenantId}-review`,
    tokens: String(made.id),
    tenants: tenantId,
    agents: `${tenantId}-agent`,
    cron: `${tenantId}-cron`,
    artifacts: createHash('sha256').update(JSON.stringify(bytes)).digest('hex'),
    memory: `${tenantId}-memory`,
    'memory/': `${tenantId}-item`,
    threads: `${tenantId}-thread`,
    jobs: String(job.id),
    webhooks: webhook,
    'webhooks/': String(delivery?.id ?? UNKNOWN.webhooks),
  };
  const traces = [tenantId, waiting, parked, busy, ended, ...Object.values(ids), String(agent.uuid ?? tenantId)];
  return { tenantId, token, ids, traces };
}

/** One node that calls the in-process tool `hang`. */
const HANG = {
  version: '1.0.0',
  nodes: { hang: { kind: { type: 'tool', tool_ref: 'hang' } } },
  edges: [{ from: 'hang', to: 'end' }],
};

/** Valid for any route that ignores unknown fields, so that the route looks up what its path names. */
const BODY = {
  decision: 'approved',
  correlation_key: 'k',
  payload: {},
  output: {},
  error: 'e',
  worker_id: 'w',
  lease_fence: 1,
};
/** Bodies of routes that refuse unknown fields. */
const BODIES: Readonly<Record<string, unknown>> = {
  'POST /executions/:id/fork': { at_sequence: 1 },
  'PUT /tenants/:id': { name: 'theirs' },
  'PUT /tenants/:id/usage/:month': { tokens: 0, reason: 'theirs' },
  'POST /memory/:namespace': { items: [{ text: 'mine' }] },
  'POST /work-items/:id/operations': { worker_id: 'w', lease_fence: 1, known: { operations: 0, results: 0, sequence: 0 } },
  'POST /threads/:id/messages': { messages: [{ role: 'user', content: 'mine' }] },
};

export function bodyFor({ method, url }: Route): unknown {
  if (method === 'GET' || method === 'DELETE') return undefined;
  return BODIES[`${method} ${url}`] ?? BODY;
}

/** The route with ids in its path; null if it has no parameters. Throws for a resource that is missing here. */
export function withIds(route: Route, ids: Readonly<Record<string, string>>): Route | null {
  if (!route.url.includes('/:')) return null;
  const resource = route.url.replace(/^\/api\/v1/, '').split('/')[1] ?? '';
  const id = ids[resource];
  if (id === undefined) throw new Error(`tell the isolation test how to make one of ${resource}, for ${route.url}`);
  let first = true;
  const url = route.url.replaceAll(/:\w+/g, () => {
    const value = first ? id : (ids[`${resource}/`] ?? 'work');
    first = false;
    return value;
  });
  return { ...route, url };
}
