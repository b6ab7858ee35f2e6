import { assign, fromPromise, setup } from 'xstate';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { CallError, durable, durableMachine } from '../../../src/index.ts';
import { type Api, type ApiOptions, api } from '../../api/support/api.ts';
import { mcpHttpServer } from '../../executors/mcp/http-server.ts';
import { chatAnswer, reply } from '../../executors/model/asking.ts';
import { webServer } from '../../executors/web-server.ts';
import { CALLER, eventually } from '../../support/runtimes.ts';

/** Recognised by a detector, at a path of the workflow, and at a path of one of its nodes alone. */
export const EMAIL = 'ann.smith@example.com';
const NAME = 'Ann Wilhelmina Smith';
const CODE = 'q7-blue-heron';
export const MARKERS: readonly string[] = [EMAIL, NAME, CODE, 'ann.smith%40', 'Wilhelmina', 'blue-heron'];

const INPUT = { patient: { name: NAME }, mail: EMAIL, code: CODE, visits: [EMAIL, NAME] };
const POLICY: JsonObject = { pii_fields: ['$.patient.name', '$.visits[*]'], pii_detectors: ['email'] };
const CODE_POLICY: JsonObject = { pii_fields: ['$.code'] };

/**
 * What a table holds of an execution with a data policy when that has ended, and been erased. `nothing` but ids, numbers, times, and names of the
 * workflow document; `redacted`: texts of the execution without personal data; `erased`: such texts are emptied or deleted; `named`: also names by which
 * something is found or made known, which are given to be kept (docs/data-policy.md); `other`: it belongs to no execution.
 */
type Cover = 'nothing' | 'redacted' | 'erased' | 'named' | 'other';

const BOTH = {
  agent_events: 'other',
  agent_outcomes: 'redacted',
  agent_traits: 'other',
  agents: 'other',
  approvals: 'nothing',
  artifact_refs: 'nothing',
  artifacts: 'redacted',
  audit_blocks: 'nothing',
  checkpoints: 'redacted',
  control_events: 'other',
  cron_jobs: 'other',
  erasures: 'nothing',
  event_types: 'other',
  execution_keys: 'erased',
  execution_labels: 'named',
  executions: 'named',
  idempotency: 'named',
  inbox: 'nothing',
  jobs: 'named',
  leases: 'other',
  log_actors: 'named',
  log_cuts: 'nothing',
  log_entries: 'named',
  log_key: 'other',
  log_revisions: 'other',
  memory_items: 'named',
  memory_namespaces: 'named',
  original_events: 'erased',
  removed_executions: 'nothing',
  retried_executions: 'nothing',
  revisions: 'other',
  sign_in_links: 'other',
  subject_tokens: 'erased',
  tenant_storage: 'nothing',
  tenant_usage: 'nothing',
  tenants: 'other',
  thread_messages: 'redacted',
  threads: 'redacted',
  timers: 'nothing',
  tokens: 'other',
  webhook_cursor: 'nothing',
  webhook_deliveries: 'redacted',
  webhooks: 'redacted',
  work_items: 'named',
  workers: 'named',
  workflow_revisions: 'other',
  workflows: 'other',
} as const satisfies Readonly<Record<string, Cover>>;

/** Every table of either engine: another one has to be thought of here, and below be given what could leave personal data in it. */
export const TABLES: Readonly<Record<'sqlite' | 'postgres', Readonly<Record<string, Cover>>>> = {
  sqlite: {
    ...BOTH,
    audit_chain: 'other',
    log_tenants: 'other',
    memory_index: 'named',
    memory_index_config: 'other',
    memory_index_data: 'named',
    memory_index_idx: 'named',
    memory_terms: 'named',
    runtime_holder: 'other',
    schema_migrations: 'other',
    sqlite_sequence: 'other',
  },
  postgres: {
    ...BOTH,
    audit_chains: 'other',
    memory_index: 'named',
    schema_migrations: 'other',
    tenant_storage_bytes: 'nothing',
  },
};

/** A workflow in which personal data goes through every kind of node that writes beside the log. */
function graph(url: string, mcp: string): JsonObject {
  const at = (path: string): string => `${url}/${path}/{{ state.mail }}/{{ state.code }}`;
  const each = (work: JsonObject): JsonObject => ({
    kind: { type: 'map', items: '{{ state.visits }}', on_item_error: 'collect', do: work, output: '{{ 1 }}' },
  });
  const nodes: Record<string, JsonObject> = {
    asked: each({ type: 'a2a_task', remote_agent: at('down'), input_mapping: { text: '{{ item }}' } }),
    called: each({ type: 'agent_tool', agent: at('agent'), input_mapping: { text: '{{ item }}' } }),
    fetched: each({ type: 'http', url: at('page'), method: 'GET', headers: { 'x-who': '{{ item }}' } }),
    looked_up: each({ type: 'mcp_tool', server: 's', tool: 'say', input_mapping: { text: '{"of": "{{ item }}"}' } }),
    written: {
      kind: { type: 'model', model_ref: 'gpt-4o', prompt_ref: 'To {{ state.mail }}', thread: 'letters', output_key: 'letter' },
    },
    // Its own node has no policy for it.
    threaded: each({ type: 'model', model_ref: 'gpt-4o', prompt_ref: 'Hello', thread: 'of {{ state.code }}' }),
    sent: {
      kind: { type: 'tool', tool_ref: 'send', output_key: 'sent' },
      data_policy: CODE_POLICY,
      retry: { max_attempts: 2, initial_delay: 0 },
    },
    queued: {
      kind: {
        type: 'tool',
        tool_ref: 'outside',
        input_mapping: { to: '{{ state.mail }}', of: '{{ state.code }}' },
      },
    },
    child: {
      kind: {
        type: 'subgraph',
        workflow_ref: 'function',
        input_mapping: { mail: '{{ state.mail }}', patient: '{{ state.patient }}' },
      },
    },
    review: { kind: { type: 'human_approval', description: 'Write to {{ state.patient.name }}, {{ state.code }}?' } },
    paid: { kind: { type: 'wait', correlation_key: 'paid by {{ state.mail }}', output_key: 'payment' } },
  };
  const ids = Object.keys(nodes);
  return {
    workflow_id: 'graph',
    version: '1',
    data_policy: POLICY,
    mcp_servers: { s: { transport: 'http_sse', url: mcp } },
    nodes,
    edges: ids.slice(1).map((to, i) => ({ from: ids[i] as string, to })),
  };
}

interface Patient {
  readonly mail: string;
  readonly patient: { readonly name: string };
}

const code = durable({
  id: 'function',
  run: async (ctx, given) => {
    const { mail, patient } = given as Patient;
    await ctx.step(`write to ${mail}`, () => ({ to: mail }));
    await ctx.map(`letter of ${patient.name}`, [mail, patient.name], (item) => item);
    await ctx.expose({ [mail]: patient.name });
    const missing = await ctx.call(`of ${mail}`, { patient }, { version: mail }).catch((error: unknown) => error);
    if (!(missing instanceof CallError)) throw missing;
    ctx.onUpdate(mail, null, (input) => ({ of: patient.name, input: input as Json }));
    const asked = ctx.approval({ message: `Is ${patient.name} ${mail}?`, timeout: '30d' });
    await ctx
      .step('fail', () => {
        throw Object.assign(new Error(`no ${mail}`), { errorClass: `none of ${patient.name}`, name: mail, retryable: false });
      })
      .catch(() => null);
    await ctx.event(`paid by ${mail}`, { timeout: '7d' });
    await asked;
    return { done: mail };
  },
});

const machine = durableMachine(
  setup({
    types: { context: {} as { mail: string }, input: {} as Patient, events: {} as { type: 'go'; who: string } },
    actors: { look: fromPromise(async ({ input }: { readonly input: string }) => `found ${input}`) },
  }).createMachine({
    id: 'machine',
    context: ({ input }) => ({ mail: input.mail }),
    initial: 'looking',
    states: {
      looking: { invoke: { src: 'look', input: ({ context }) => context.mail, onDone: 'waiting' } },
      waiting: {
        on: { go: { target: 'done', actions: assign({ mail: ({ event }) => event.who }) } },
        after: { 9999999: 'done' },
      },
      done: { type: 'final' },
    },
  }),
  { id: 'machine' },
);

const covered = (document: JsonObject): JsonObject => ({
  ...document,
  data_policy: { ...POLICY, pii_fields: ['$.patient.name', '$.visits[*]', '$.code'] },
});

/** A server on which executions with personal data in all that they do have ended, and been erased. `id`: the one of `graph`. `whileLive` is called before they end. */
export async function leavePersonalData(
  options: Pick<ApiOptions, 'store' | 'clock'> = {},
  whileLive: () => Promise<void> = async () => {},
): Promise<{ readonly server: Api; readonly id: string }> {
  const { url } = await webServer((request, response) => {
    if (request.url?.startsWith('/v1') === true || request.url?.includes('chat/completions') === true)
      return reply(response, chatAnswer({ content: `Dear ${NAME}, ${EMAIL}` }));
    if (request.url?.startsWith('/hook') === true) return reply(response, {}, 500);
    if (request.url?.startsWith('/down') === true) return reply(response, { error: 'away' }, 503);
    if (request.url?.endsWith('/tasks/send') === true || request.url?.startsWith('/page') === true)
      return reply(response, { text: NAME });
    return reply(response, {}, 404);
  });
  let sends = 0;
  const server = await api({
    ...options,
    background: true,
    config: { allowPrivateAddresses: true },
    models: { providers: { openai: { apiKey: 'sk', baseUrl: url } } },
    tools: Object.assign({}, code.tools, machine.tools, {
      send: () => {
        sends += 1;
        if (sends === 1) throw Object.assign(new RangeError(`no mailbox ${EMAIL}`), { errorClass: `none of ${NAME}` });
        return Array.from({ length: 500 }, (_, i) => `${i} ${EMAIL} ${NAME} ${CODE}`);
      },
    }),
  });
  const { runtime, store } = server;
  const post: Api['post'] = async (...request) => {
    const answer = await server.post(...request);
    if (answer.status >= 400) throw new Error(`${request[0]}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer;
  };
  const key = { headers: { 'idempotency-key': 'k' } };
  await post('/webhooks', { url: `${url}/hook` }, { as: 'operator' });
  for (const document of [
    graph(url, (await mcpHttpServer('sse-replies')).url),
    covered(code.document),
    covered(machine.document),
  ])
    await server.runtime.register(CALLER, document);
  const start = async (workflowId: string, more: JsonObject = {}) => {
    const { body } = await post(
      '/executions',
      { workflow_id: workflowId, input: INPUT, ...more },
      { headers: { 'idempotency-key': workflowId } },
    );
    return body.execution_id;
  };
  // What is found by its name must not be personal.
  expectRefused(await server.post('/executions', { workflow_id: 'graph', input: INPUT, key: EMAIL }));

  /** Lets an execution of the function go on to its end. */
  const finish = async (id: string): Promise<void> => {
    await eventually(async () => (await server.timeline(id)).includes('interrupt_raised run'));
    await post(`/executions/${id}/updates/${encodeURIComponent(EMAIL)}`, { input: { note: NAME } }, key);
    await post(`/executions/${id}/external-event`, { correlation_key: `paid by ${EMAIL}`, payload: { by: NAME } }, key);
    const state_patch = { patient: { name: NAME, mail: EMAIL } };
    await post(`/executions/${id}/approve`, { decision: 'approved', comment: `by ${EMAIL}`, state_patch });
    await eventually(async () => (await server.get(`/executions/${id}`)).body.status === 'completed');
  };
  const called = await start('function', { key: 'one' });
  const early = { correlation_key: `about ${EMAIL}`, payload: NAME, event_id: 'e' };
  await post('/events', { workflow_id: 'function', key: 'one', ...early });
  await finish(called);

  const moved = await start('machine');
  await eventually(async () => (await server.get(`/executions/${moved}`)).body.status === 'paused');
  await post(`/executions/${moved}/external-event`, { correlation_key: 'go', payload: { who: EMAIL } });

  const whole = await start('graph');
  const waitsAt = (node: string) =>
    eventually(async () => {
      server.clock.advance(10);
      const timeline = await server.timeline(whole);
      if (timeline.includes('workflow_failed')) throw new Error(JSON.stringify(await server.log(whole)));
      return timeline.some((line) => line.endsWith(` ${node}`));
    });
  await waitsAt('queued');
  await runtime.enqueue(CALLER, { executionId: whole, nodeId: 'queued', queueType: 'later', payload: { to: EMAIL, of: CODE } });
  const [item] = await runtime.claim(CALLER, { workerId: 'w', queueTypes: ['tool'], maxItems: 1 });
  if (item === undefined) throw new Error('there is no item');
  await runtime.complete(CALLER, item.id, { leaseFence: item.leaseFence, output: { sent: EMAIL, of: CODE } });
  await waitsAt('child');
  const childId = async () =>
    (await runtime.executions('default', { limit: 1, parentId: whole })).executions[0]?.executionId ?? '';
  await eventually(async () => (await childId()) !== '');
  await finish(await childId());
  await waitsAt('review');
  await post(`/executions/${whole}/approve`, { decision: 'approved', comment: `by ${EMAIL}` });
  await waitsAt('paid');
  await whileLive();
  const forked = await post(
    `/executions/${whole}/fork`,
    { at_sequence: 3, state_patch: { patient: { name: NAME, of: EMAIL } } },
    key,
  );
  await post(`/executions/${whole}/cancel`, { reason: `${NAME} wants it` });
  await post(`/executions/${forked.body.execution_id}/cancel`, { reason: EMAIL });
  await post('/executions/bulk', { action: 'cancel', all: true }, { as: 'operator' });

  await eventually(async () => {
    server.clock.advance(10);
    const { executions } = await runtime.executions('default', { limit: 50 });
    const haveEnded = executions.every(({ status }) => !['pending', 'running', 'paused'].includes(status));
    return haveEnded && (await store.erasures.pending({ after: '', limit: 1 })).length === 0;
  });
  return { server, id: whole };
}

function expectRefused({ status, body }: Awaited<ReturnType<Api['post']>>): void {
  if (status !== 400 || !body.error.includes('personal data')) throw new Error(`${status} ${JSON.stringify(body)}`);
}
