import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import type { Tools } from '../../../src/runtime/types/work.ts';
import { encodeEntries } from '../../../store/log/encode.ts';
import { openSqlite } from '../../../store/sqlite/open.ts';
import { CALLER, databasePath, eventually, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

const EMAIL = 'ann.smith@example.com';
const tool = (tool_ref: string, more: JsonObject = {}): JsonObject => ({ kind: { type: 'tool', tool_ref, ...more } });

function workflow(nodes: JsonObject, data_policy: JsonObject | null, more: JsonObject = {}): JsonObject {
  const ids = Object.keys(nodes);
  const edges = ids.slice(1).map((to, i) => ({ from: ids[i] ?? '', to }));
  return { workflow_id: 'w', version: '1', nodes, edges, ...(data_policy === null ? {} : { data_policy }), ...more };
}

async function erased({ store }: TestRuntime): Promise<void> {
  await eventually(async () => (await store.erasures.pending({ after: '', limit: 1 })).length === 0);
}

const dataOf = async ({ log }: TestRuntime, id: string, type: string): Promise<JsonObject | undefined> =>
  (await log(id)).find((event) => event.type === type)?.data;

describe('a data policy', () => {
  it.each([
    ['mask', '[REDACTED]', { mail: '[REDACTED]', n: 1 }],
    ['hash', '[HASH:f37d883a83178ebc]', { mail: '[HASH:f37d883a83178ebc]', n: 1 }],
    ['remove', '', { n: 1 }],
  ])('in the mode %s', async (redaction_mode, inText, state) => {
    const opened = await openTestRuntime({ tools: { work: () => `to ${EMAIL}` } });
    const document = workflow({ a: tool('work', { output_key: 'out' }) }, { pii_fields: ['$.mail'], redaction_mode });
    const id = await opened.run(document, { mail: EMAIL, n: 1 });
    expect((await opened.settled(id)).state).toEqual({ ...state, out: `to ${inText}` });
    await erased(opened);
    expect((await opened.runtime.execution('default', id)).state).toEqual({ ...state, out: `to ${inText}` });
  });

  it('of a node holds for what it returns, and for the state that gets it', async () => {
    const opened = await openTestRuntime({ tools: { find: () => ({ mail: EMAIL }), work: (input) => input } });
    const find = { ...tool('find'), data_policy: { pii_detectors: ['email'] } };
    const id = await opened.run(workflow({ find, work: tool('work', { output_key: 'out' }) }, null));
    expect((await opened.settled(id)).state).toEqual({ mail: '[REDACTED]', out: { mail: '[REDACTED]' } });
    expect(JSON.stringify(await opened.log(id))).not.toContain(EMAIL);
  });

  it('without retain_outputs shows what the execution began with, while nodes work with all there is', async () => {
    const seen: unknown[] = [];
    const tools: Tools = {
      find: () => ({ found: 'secret plan' }),
      work: (input) => {
        seen.push(input);
        return 'done secretly';
      },
    };
    const opened = await openTestRuntime({ tools });
    const id = await opened.run(workflow({ find: tool('find'), work: tool('work') }, { retain_outputs: false }), { n: 1 });
    expect((await opened.settled(id)).state).toEqual({ n: 1 });
    expect(seen).toEqual([{ n: 1, found: 'secret plan' }]);
    const text = JSON.stringify(await opened.log(id));
    expect(text).not.toContain('secret plan');
    expect(text).not.toContain('done secretly');
    expect(await dataOf(opened, id, 'workflow_completed')).toMatchObject({ final_state: { n: 1 } });
  });

  it('gives the parent of a child what the child computed, and erases the child only then', async () => {
    const opened = await openTestRuntime({ tools: { work: () => ({ mail: EMAIL }) } });
    await opened.runtime.register(CALLER, {
      ...workflow({ a: tool('work') }, { pii_detectors: ['email'] }),
      workflow_id: 'child',
    });
    const subgraph = { kind: { type: 'subgraph', workflow_ref: 'child', output_key: 'found' } };
    const id = await opened.run(workflow({ sub: subgraph }, null));
    expect((await opened.settled(id)).state).toEqual({ found: { mail: EMAIL } });
    const [child] = (await opened.runtime.executions('default', { parentId: id, limit: 1 })).executions;
    // The eraser may have looked at the child before or after the parent had read its result.
    await eventually(async () => {
      opened.clock.advance(5_000);
      return (await opened.store.erasures.pending({ after: '', limit: 1 })).length === 0;
    });
    expect((await opened.runtime.execution('default', child?.executionId ?? '')).state).toEqual({ mail: '[REDACTED]' });
  });

  it('leaves the error of a failed execution, without personal data', async () => {
    const opened = await openTestRuntime({
      tools: {
        work() {
          throw Object.assign(new Error(`no ${EMAIL}`), { retryable: false });
        },
      },
    });
    const id = await opened.run(workflow({ a: tool('work') }, { pii_detectors: ['email'] }));
    const expected = { status: 'failed', error: 'a: no [REDACTED]' };
    expect(await opened.settled(id)).toMatchObject(expected);
    await erased(opened);
    expect(await opened.runtime.execution('default', id)).toMatchObject(expected);
    await expect(opened.runtime.retry(CALLER, id)).rejects.toMatchObject({ code: 'redacted' });
    const other = await opened.runtime.start(CALLER, { workflowId: 'w', idempotencyKey: 'again', input: { n: 1 } });
    await opened.settled(other.executionId);
    await erased(opened);
    const repeated = { workflowId: 'w', idempotencyKey: 'again', input: { n: 1 } };
    expect(await opened.runtime.start(CALLER, repeated)).toEqual({ ...other, replayed: true });
  });

  it('lets a running execution be forked, into versions that have a data policy', async () => {
    const opened = await openTestRuntime({
      tools: { work: () => ({ mail: EMAIL }), check: ({ mail }) => ({ ok: mail === EMAIL }) },
    });
    const ask = { kind: { type: 'human_approval', description: '?' } };
    const nodes = { a: tool('work'), ask, check: tool('check') };
    await opened.runtime.register(CALLER, workflow(nodes, null, { version: 'open' }));
    const id = await opened.run(workflow(nodes, { pii_detectors: ['email'] }));
    const { sequence } = await opened.settled(id);
    const fork = await opened.runtime.fork(CALLER, id, { atSequence: sequence, statePatch: { n: 2 } });
    const forked = fork.executionId ?? '';
    await opened.settled(forked);
    expect(JSON.stringify(await opened.log(forked))).not.toContain(EMAIL);
    await opened.runtime.approve(CALLER, forked, { decision: 'approved' });
    expect((await opened.settled(forked)).state).toMatchObject({ mail: '[REDACTED]', n: 2, ok: true });
    const open = { atSequence: sequence, workflowVersion: 'open' };
    await expect(opened.runtime.fork(CALLER, id, open)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('shows lists that grow with what is left of them', async () => {
    const tools: Tools = {
      say: ({ messages }) => {
        const all = messages as readonly unknown[];
        return {
          turn: all.length,
          messages: [...all, { role: 'user', content: `${all.length} from ${EMAIL}`.padEnd(300, '.') }],
        };
      },
    };
    const loop = (policy: JsonObject): JsonObject => ({
      ...workflow({ say: tool('say', { input_mapping: { messages: '{{ state.messages }}' } }) }, policy),
      edges: [
        { from: 'say', to: 'end', condition: 'state.turn >= 20' },
        { from: 'say', to: 'say' },
      ],
    });
    for (const policy of [
      { pii_detectors: ['email'] },
      { pii_fields: ['$.messages[0]'], redaction_mode: 'remove' },
      { pii_fields: ['$.messages'] },
      { retain_outputs: false },
    ]) {
      const opened = await openTestRuntime({ tools });
      const input = { messages: [{ role: 'system', content: `Write to ${EMAIL}`.padEnd(300, '.') }] };
      const id = await opened.run(loop(policy), input);
      await opened.settled(id);
      const events = await opened.log(id);
      if ('pii_detectors' in policy) expect(JSON.stringify(events)).not.toContain(EMAIL);
      expect(events.every(({ data }) => !Object.hasOwn(data, 'appended'))).toBe(true);
      expect(opened.errors).toEqual([]);
      await opened.close();
    }
  });
});

describe('an execution whose erasure was interrupted', () => {
  it('is erased at the next start, also if its log cannot be replayed', async () => {
    const path = databasePath();
    const first = await openTestRuntime({ path, tools: { work: () => ({}) } });
    const document = workflow({ a: tool('work') }, { pii_detectors: ['email'] });
    const { revision } = await first.runtime.register(CALLER, document);
    await first.close();

    const store = await openSqlite({ path });
    const id = `exec_${'0'.repeat(31)}1`;
    const event = {
      seq: 1,
      type: 'workflow_started',
      nodeId: null,
      data: { workflow_id: 'w', workflow_version: '1', initial_input: {}, redacted: 'x' },
      atMs: 1,
      actorId: 'a',
      actorType: 'human',
      onBehalfOf: null,
      request: null,
    } as const;
    expect(encodeEntries([event])).toHaveLength(1);
    await store.commit({
      atMs: 1,
      units: [
        {
          idempotency: null,
          executions: [
            {
              id,
              tenantId: 'default',
              fromSeq: 0,
              create: {
                workflowId: 'w',
                workflowVersion: '1',
                revision,
                labels: '{}',
                parentId: null,
                depth: 0,
                deadlineAtMs: null,
                createdAtMs: 1,
              },
              progress: {
                status: 'completed',
                seq: 1,
                steps: 1,
                error: null,
                localWork: 0,
                owner: null,
                updatedAtMs: 1,
                completedAtMs: 1,
              },
              checkpoint: null,
              events: [event],
              timers: [],
              work: [],
              send: [],
              consumed: [],
              usage: null,
              redaction: { originals: [{ seq: 1, salt: 's', data: `"${EMAIL}"` }], ended: { atMs: 1, removeAtMs: null } },
            },
          ],
        },
      ],
    });
    await store.close();

    const second = await openTestRuntime({ path });
    await erased(second);
    expect(await second.store.erasures.originals(id, 1, 1)).toEqual([]);
    expect(await second.runtime.execution('default', id)).toMatchObject({ status: 'completed', stepsExecuted: 1, state: {} });
    expect(second.errors.every((error) => (error as { code?: string }).code === 'corrupt')).toBe(true);
  });
});
