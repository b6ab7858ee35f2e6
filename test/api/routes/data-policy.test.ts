import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { eventually } from '../../support/runtimes.ts';
import { type Api, api, ECHO_TOOLS } from '../support/api.ts';

const SECRETS = ['ann.smith@example.com', 'Ann Wilhelmina Smith', '4012888888881881'];
const [EMAIL, NAME] = SECRETS;

const INTAKE: JsonObject = {
  workflow_id: 'intake',
  version: '1',
  data_policy: { pii_fields: ['$.patient.name'], pii_detectors: ['email', 'credit_card'] },
  nodes: {
    first: { kind: { type: 'tool', tool_ref: 'echo', output_key: 'first' } },
    external: { kind: { type: 'python_fn', module: 'm', function: 'f', input_mapping: { to: '{{ state.mail }}' } } },
    ask: { kind: { type: 'human_approval', description: 'Write to {{ state.patient.name }} at {{ state.mail }}?' } },
  },
  edges: [
    { from: 'first', to: 'external' },
    { from: 'external', to: 'ask' },
  ],
};
const INPUT = { patient: { name: NAME }, mail: EMAIL, card: 4012888888881881, filler: `${EMAIL} `.repeat(1_000) };

interface Document {
  readonly paths: Readonly<
    Record<string, { readonly get?: { readonly responses: Readonly<Record<string, { readonly content?: object }>> } }>
  >;
}

/** What every route that reads says about the execution. */
async function read(server: Api, id: string): Promise<readonly { readonly url: string; readonly text: string }[]> {
  const { paths } = (await server.app.inject('/openapi.json')).json() as Document;
  const authorization = `Bearer ${await server.token('operator', { name: 'reader' })}`;
  const replies: { url: string; text: string }[] = [];
  for (const [path, { get }] of Object.entries(paths)) {
    const types = Object.keys(get?.responses['200']?.content ?? {});
    // Streams do not end while the execution runs.
    if (types.length === 0 || (types.includes('text/event-stream') && !types.includes('application/json'))) continue;
    const url = path.replace(/\{(?:id|execution_id|executionId)\}/, id);
    if (url.includes('{')) continue;
    const query = url.endsWith('/state') ? '?at=3' : '';
    for (const accept of ['application/json', 'text/html', 'image/svg+xml']) {
      if (accept !== 'application/json' && !/diagram|visual|machine/.test(path)) continue;
      const reply = await server.app.inject({ method: 'GET', url: url + query, headers: { authorization, accept } });
      replies.push({ url: `${url}${query} ${accept} ${reply.statusCode}`, text: reply.payload });
    }
  }
  for (const name of ['jamjet_get_execution', 'jamjet_get_events', 'jamjet_list_executions']) {
    const reply = await server.app.inject({
      method: 'POST',
      url: '/mcp',
      headers: { authorization, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      payload: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: { execution_id: id } } },
    });
    replies.push({ url: name, text: reply.payload });
  }
  return replies;
}

function expectNoSecret(replies: readonly { readonly url: string; readonly text: string }[]): void {
  for (const { url, text } of replies)
    for (const secret of SECRETS) expect(text.includes(secret), `${secret} in the reply of ${url}`).toBe(false);
}

describe('personal data of an execution with a data policy', () => {
  it('is in no reply of any route that reads, while it runs and when it has ended', async () => {
    const server = await api({ tools: ECHO_TOOLS });
    const id = await server.started(INTAKE, INPUT);
    await eventually(async () => (await server.timeline(id)).includes('node_scheduled external'));
    const { body } = await server.post('/work-items/claim', { worker_id: 'w', queue_types: ['python_tool'] });
    // A worker gets what it works with.
    expect(body.work_item).toMatchObject({ payload: { input: { to: EMAIL } } });
    const item = body.work_item as unknown as { id: string; lease_fence: number };
    const output = { output: `sent to ${EMAIL}`, worker_id: 'w', lease_fence: item.lease_fence };
    expect((await server.post(`/work-items/${item.id}/complete`, output)).status).toBe(200);
    await server.settled(id);

    const live = await read(server, id);
    expectNoSecret(live);
    expect(live.filter(({ text }) => text.includes('[REDACTED]')).length).toBeGreaterThan(6);
    await server.post(`/executions/${id}/approve`, { decision: 'approved', comment: `for ${NAME}` });
    await server.settled(id);
    await eventually(async () => (await server.store.erasures.pending({ after: '', limit: 1 })).length === 0);
    const ended = await read(server, id);
    expectNoSecret(ended);
    expect(ended.find(({ url }) => url.startsWith(`/executions/${id} `))?.text).toContain('[REDACTED]');
    for (const route of ['retry', 'fork'])
      expect(await server.post(`/executions/${id}/${route}`, { at_sequence: 3 })).toMatchObject({
        status: 409,
        body: { code: 'redacted' },
      });
    expect((await server.get(`/executions/${id}/replay`)).body).toMatchObject({ redacted: true, matches: true });
  });
});
