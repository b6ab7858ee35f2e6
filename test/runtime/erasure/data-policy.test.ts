import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import type { ToolLogEntry } from '../../../src/runtime/types/work.ts';
import { chatAnswer, reply } from '../../executors/model/asking.ts';
import { webServer } from '../../executors/web-server.ts';
import { CALLER, databasePath, eventually, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

const SECRETS = ['ann.smith@example.com', '4111 1111 1111 1111', 'Ann Wilhelmina Smith', '4012888888881881'];
const [EMAIL, CARD, NAME] = SECRETS as [string, string, string];
const INPUT = { patient: { name: NAME, age: 44 }, mail: EMAIL, card_number: 4012888888881881, note: `pay with ${CARD}` };

const POLICY = { pii_fields: ['$.patient.name'], pii_detectors: ['email', 'credit_card'] };
const MODEL = { type: 'model', model_ref: 'gpt-4o', output_schema: 'letter' };

/** A workflow in which personal data goes everywhere that it can go. */
function everywhere(more: JsonObject = {}): JsonObject {
  return {
    workflow_id: 'everywhere',
    version: '1',
    data_policy: POLICY,
    nodes: {
      letter: { kind: { ...MODEL, prompt_ref: 'Write to {{ state.patient.name }} ({{ state.mail }}): {{ state.note }}' } },
      send: {
        kind: {
          type: 'tool',
          tool_ref: 'send',
          input_mapping: { to: '{{ state.mail }}', text: 'Dear {{ state.patient.name }}' },
        },
        retry: { max_attempts: 2, initial_delay: 0 },
      },
      bulk: { kind: { type: 'tool', tool_ref: 'bulk', output_key: 'bulk' } },
      route: {
        kind: {
          type: 'condition',
          branches: [{ condition: "state.mail != 'none' and state.note", target: 'review' }, { target: 'end' }],
        },
      },
      review: { kind: { type: 'human_approval', description: 'May we write to {{ state.patient.name }} at {{ state.mail }}?' } },
      signal: { kind: { type: 'wait', correlation_key: 'paid', output_key: 'payment' } },
    },
    edges: ['letter', 'send', 'bulk', 'route', 'review', 'signal'].flatMap((to, i, ids) => {
      const from = ids[i - 1];
      return from === undefined || from === 'route' ? [] : [{ from, to }];
    }),
    ...more,
  };
}

interface Seen {
  readonly sent: unknown[];
  /** What the tools have logged. */
  readonly logged: ToolLogEntry[];
  prompts(): string[];
}

async function openWithTools(path = databasePath()): Promise<TestRuntime & Seen> {
  const sent: unknown[] = [];
  const logged: ToolLogEntry[] = [];
  const { url, requests } = await webServer((_request, response) =>
    reply(response, chatAnswer({ content: `Dear ${NAME}, ${EMAIL}` })),
  );
  const opened = await openTestRuntime({
    path,
    onToolLog: (entry) => logged.push(entry),
    models: { providers: { openai: { apiKey: 'sk', baseUrl: url } } },
    tools: {
      send(input, { log }) {
        sent.push(input);
        const error = Object.assign(new RangeError(`no mailbox ${EMAIL} of ${NAME}`), { errorClass: `none of ${NAME}` });
        log.info(`writing to ${NAME}`, { [EMAIL]: { who: [NAME, 44] }, card: 4012888888881881, err: error });
        if (sent.length === 1) throw error;
        return { receipt: `sent to ${EMAIL}`, [EMAIL]: NAME };
      },
      bulk: () => Array.from({ length: 500 }, (_, i) => `${i} ${EMAIL} ${NAME}`),
    },
  });
  return { ...opened, sent, logged, prompts: () => requests.map(({ body }) => body) };
}

/** Everything that can be read of an execution, as text. */
async function shown({ runtime, store, log, clock }: TestRuntime, id: string, isLive: boolean): Promise<string> {
  const parts: unknown[] = [await runtime.execution('default', id), await log(id), await runtime.approvals('default', id)];
  parts.push(await runtime.executions('default', { limit: 10 }));
  for await (const entry of (await store.audit.find('default', { executionId: id }, { limit: 200, offset: 0, after: null }))
    .entries)
    parts.push(entry);
  for await (const line of store.audit.export('default', {
    fromBlock: 1,
    atMs: clock.nowMs(),
    signal: new AbortController().signal,
  }))
    parts.push(line);
  if (isLive) {
    const { sequence } = await runtime.execution('default', id);
    parts.push(await runtime.stateAt('default', id, sequence), await runtime.snapshots('default', id, { after: 0, limit: 100 }));
  }
  const offloaded = JSON.stringify(parts).match(/"hash":"[0-9a-f]{64}"/g) ?? [];
  for (const reference of offloaded) {
    const artifact = await store.artifacts.get('default', reference.slice(8, -1));
    parts.push(Buffer.from(artifact?.content ?? []).toString());
  }
  return JSON.stringify(parts);
}

function expectNoSecret(text: string): void {
  for (const secret of SECRETS) expect(text.includes(secret), `${secret} in …${around(text, secret)}…`).toBe(false);
}

function around(text: string, secret: string): string {
  const at = text.indexOf(secret);
  return at < 0 ? '' : text.slice(Math.max(0, at - 200), at + 100);
}

function rowsOf(path: string, table: string): string {
  const db = new Database(path, { readonly: true });
  try {
    return JSON.stringify(db.prepare(`SELECT * FROM ${table}`).all());
  } finally {
    db.close();
  }
}

async function runToReview(opened: TestRuntime): Promise<string> {
  const id = await opened.run(everywhere(), INPUT);
  await eventually(async () => (await opened.timeline(id)).includes('retry_scheduled send'));
  opened.clock.advance(1000);
  await opened.settled(id);
  return id;
}

async function finish(opened: TestRuntime, id: string): Promise<void> {
  await opened.runtime.approve(CALLER, id, { decision: 'approved', nodeId: 'review', comment: `by ${EMAIL}` });
  await opened.runtime.sendEvent(CALLER, id, { key: 'paid', payload: { from: NAME, card: CARD } });
  await opened.settled(id);
  await eventually(async () => (await opened.store.erasures.pending({ after: '', limit: 1 })).length === 0);
}

describe('an execution with a data policy', () => {
  it('shows what tools say of their failures, and log, without personal data', async () => {
    const opened = await openWithTools();
    const id = await runToReview(opened);
    const failed = (await opened.log(id)).find(({ type }) => type === 'node_failed');
    expect(failed?.data).toMatchObject({ error_class: 'none of [REDACTED]', error_name: 'RangeError' });
    const [line] = opened.logged;
    expect(line).toMatchObject({
      level: 'info',
      message: 'writing to [REDACTED]',
      fields: { '[REDACTED]': { who: ['[REDACTED]', 44] }, card: '[REDACTED]' },
    });
    const error = line?.fields.err as RangeError;
    expect([error instanceof RangeError, error.message]).toEqual([true, 'no mailbox [REDACTED] of [REDACTED]']);
    expectNoSecret(inspect(line, { depth: null, showHidden: true }));
    // What is logged is a copy.
    expect(opened.sent[0]).toMatchObject({ to: EMAIL });
  });

  it('shows no personal data while it runs, in whatever is read of it, and works with all of it', async () => {
    const opened = await openWithTools();
    const id = await runToReview(opened);
    expect(opened.sent).toEqual([expect.objectContaining({ to: EMAIL, text: `Dear ${NAME}` }), expect.anything()]);
    expect(opened.prompts()).toHaveLength(1);
    expectNoSecret(opened.prompts().join());
    expect(opened.prompts()[0]).toContain('Write to [REDACTED] ([REDACTED]): pay with [REDACTED]');

    const text = await shown(opened, id, true);
    expectNoSecret(text);
    expect(text).toContain('May we write to [REDACTED] at [REDACTED]?');
    for (const table of ['log_entries', 'executions', 'artifacts', 'work_items', 'timers'])
      expectNoSecret(rowsOf(opened.path, table));
    expect(rowsOf(opened.path, 'original_events')).toContain(NAME);
    expect(await opened.runtime.replay('default', id)).toMatchObject({ mismatch: null, redacted: false });
    expect(await opened.store.verifyAudit()).toMatchObject({ fault: null });
  });

  it('continues after a restart with the original values', async () => {
    const first = await openWithTools();
    const id = await runToReview(first);
    await first.close();
    const second = await openWithTools(first.path);
    await finish(second, id);
    expect((await second.runtime.execution('default', id)).state).toMatchObject({
      patient: { name: '[REDACTED]', age: 44 },
      card_number: '[REDACTED]',
      payment: { from: '[REDACTED]', card: '[REDACTED]' },
    });
  });

  it('leaves no byte of personal data in the database when it has ended', async () => {
    const opened = await openWithTools();
    const id = await runToReview(opened);
    await finish(opened, id);
    expectNoSecret(await shown(opened, id, false));
    expect(await opened.runtime.execution('default', id)).toMatchObject({ status: 'completed', error: null });
    expect(await opened.store.verifyAudit()).toMatchObject({ fault: null });
    expect(await opened.runtime.replay('default', id)).toMatchObject({ redacted: true, mismatch: null });
    for (const refused of [
      () => opened.runtime.retry(CALLER, id),
      () => opened.runtime.fork(CALLER, id, { atSequence: 3 }),
      () => opened.runtime.stateAt('default', id, 3),
      () => opened.runtime.snapshots('default', id, { after: 0, limit: 10 }),
    ])
      await expect(refused()).rejects.toMatchObject({ code: 'redacted' });
    await opened.close();
    expectNoSecret(readFileSync(opened.path, 'latin1'));
    expect(rowsOf(opened.path, 'original_events')).toBe('[]');

    // Another process reads it as it is stored.
    const later = await openWithTools(opened.path);
    expectNoSecret(await shown(later, id, false));
    expect(await later.runtime.execution('default', id)).toMatchObject({ status: 'completed', input: { mail: '[REDACTED]' } });
    await expect(later.runtime.cancel(CALLER, id)).rejects.toMatchObject({ code: 'already_terminal' });
    expect(later.errors).toEqual([]);
  });
});
