import { setImmediate } from 'node:timers/promises';
import { Client } from 'pg';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { LiveUpdate, TextDelta } from '../../../src/runtime/types/executions.ts';
import type { ToolContext } from '../../../src/runtime/types/work.ts';
import { dictated } from '../../executors/dictated-provider.ts';
import { type ClusterMember, openCluster, waitUntil, waitUntilWithClock } from '../../support/cluster.ts';
import { type PostgresDatabase, postgresDatabase, postgresServer } from '../../support/postgres.ts';

const server = postgresServer();

const document = {
  workflow_id: 'ask',
  version: '1',
  nodes: { think: { kind: { type: 'model', model_ref: 'gpt-4o', prompt_ref: 'Hello', output_key: 'answer' } } },
  edges: [],
};

/** Reads in the background until the test ends or `stop` is called. */
function read({ runtime }: ClusterMember, id: string, tenantId = 'default') {
  const abort = new AbortController();
  const deltas: TextDelta[] = [];
  const ended = (async () => {
    for await (const delta of runtime.deltas(tenantId, id, abort.signal)) deltas.push(delta);
  })();
  const stop = (): Promise<void> => {
    abort.abort();
    return ended;
  };
  onTestFinished(stop);
  return { deltas, stop, text: () => textOf(deltas) };
}

/** The text, whose parts must follow one another; a part at 0 begins it again. */
function textOf(deltas: readonly TextDelta[]): string {
  let text = '';
  for (const { index, text: part } of deltas) {
    if (index === 0) text = '';
    expect(index).toBe(text.length);
    text += part;
  }
  return text;
}

/** Two runtimes, and an execution whose model runs in `writer`. */
async function cluster(database: PostgresDatabase = postgresDatabase(server)) {
  const provider = await dictated();
  const { join } = openCluster(database);
  const writer = await join({ models: provider.models });
  const other = await join({ models: provider.models });
  const start = async (): Promise<string> => {
    const before = provider.responses.length;
    const id = await writer.run(document);
    await waitUntil(() => provider.responses.length > before);
    return id;
  };
  return { provider, writer, other, start };
}

function sendOf({ store }: ClusterMember) {
  if (store.messages === null) throw new Error('the store carries messages');
  return vi.spyOn(store.messages, 'send');
}

describe('the texts that models write in one of several runtimes', () => {
  it('reach readers at the others: what there is, each part that follows, and the end', async () => {
    const { provider, writer, other, start } = await cluster();
    const id = await start();
    provider.send({ content: 'Good ' });
    const local = read(writer, id);
    await waitUntil(() => local.text() === 'Good ');
    const first = read(other, id);
    const stranger = read(other, id, 'acme');
    await waitUntil(() => first.text() === 'Good ');
    provider.send({ content: 'day' });
    await waitUntilWithClock(writer, () => first.text() === 'Good day');
    const late = read(other, id);
    await waitUntil(() => late.text() === 'Good day');
    provider.send({ content: ', Ann.' });
    provider.end();
    await waitUntilWithClock(writer, () => first.text() === 'Good day, Ann.' && late.text() === 'Good day, Ann.');
    expect(first.deltas[0]).toEqual({ executionId: id, nodeId: 'think', activation: 1, attempt: 0, index: 0, text: 'Good ' });
    expect(await other.settled(id)).toMatchObject({ status: 'completed', state: { answer: 'Good day, Ann.' } });
    expect(read(other, id).deltas).toEqual([]);
    expect(stranger.deltas).toEqual([]);
    expect((await other.log(id)).map(({ type }) => type)).toEqual([
      'workflow_started',
      'node_scheduled',
      'node_started',
      'node_completed',
      'workflow_completed',
    ]);
    expect([...writer.errors, ...other.errors]).toEqual([]);
  });

  it('reach readers that came before the model began to write', async () => {
    const { provider, writer, other, start } = await cluster();
    const id = await start();
    const asked = sendOf(other);
    const received = read(other, id);
    await waitUntil(() => asked.mock.calls.length > 0);
    provider.send({ content: 'Now' });
    await waitUntilWithClock(writer, () => received.text() === 'Now');
    // Once more if its runtime learns only after the reader has come which one owns the execution.
    expect(asked.mock.calls.length).toBeLessThanOrEqual(2);
  });

  it('arrive whole when they are long, whatever characters they have', async () => {
    const { provider, writer, other, start } = await cluster();
    const id = await start();
    const text = `x${'\u{1f600}'.repeat(200_000)}${'\u0000"\\'.repeat(20_000)}${'字'.repeat(50_000)}`;
    provider.send({ content: text });
    const received = read(other, id);
    await waitUntilWithClock(writer, () => received.deltas.reduce((sum, delta) => sum + delta.text.length, 0) >= text.length);
    expect(received.text() === text).toBe(true);
    for (const { text: part } of received.deltas) expect(part.isWellFormed()).toBe(true);
    expect([...writer.errors, ...other.errors]).toEqual([]);
  });

  it('are sent only while another runtime has readers', async () => {
    const { provider, writer, other, start } = await cluster();
    const sent = sendOf(writer);
    const id = await start();
    const local = read(writer, id);
    provider.send({ content: 'one ' });
    await waitUntil(() => local.text() === 'one ');
    expect(sent).not.toHaveBeenCalled();
    const received = read(other, id);
    await waitUntil(() => received.text() === 'one ');
    await received.stop();
    // The messages of a process come in order: when its next reader gets its text, the first has been let go.
    const second = await start();
    const next = read(other, second);
    provider.send({ content: 'another' });
    await waitUntilWithClock(writer, () => next.text() === 'another');
    sent.mockClear();
    provider.responses[0]?.write(`data: ${JSON.stringify(chunk('two'))}\n\n`);
    await waitUntilWithClock(writer, () => local.text() === 'one two');
    provider.send({ content: '!' });
    await waitUntilWithClock(writer, () => next.text() === 'another!');
    expect(sent.mock.calls.flat(2).map(({ text }) => JSON.parse(text).id)).toEqual([second]);
  });

  it('begin again for a runtime that missed a part', async () => {
    const database = postgresDatabase(server);
    const { provider, writer, other, start } = await cluster(database);
    const id = await start();
    const received = read(other, id);
    provider.send({ content: 'one ' });
    await waitUntilWithClock(writer, () => received.text() === 'one ');
    const sent = sendOf(writer).mockResolvedValueOnce();
    provider.send({ content: 'two ' });
    await waitUntilWithClock(writer, () => sent.mock.calls.length === 1);
    provider.send({ content: 'three' });
    await waitUntilWithClock(writer, () => received.text() === 'one two three');
  });

  it('end for a runtime that missed the last part', async () => {
    const { provider, writer, other, start } = await cluster();
    const id = await start();
    const received = read(other, id);
    provider.send({ content: 'one ' });
    await waitUntilWithClock(writer, () => received.text() === 'one ');
    const sent = sendOf(writer).mockResolvedValueOnce();
    provider.send({ content: 'two' });
    await waitUntilWithClock(writer, () => sent.mock.calls.length === 1);
    provider.end();
    await waitUntilWithClock(writer, () => sent.mock.calls.length === 2);
    await other.settled(id);
    await waitUntil(async () => {
      const late = read(other, id);
      await setImmediate();
      await late.stop();
      return late.deltas.length === 0;
    });
    expect([...writer.errors, ...other.errors]).toEqual([]);
  });

  it('go on for a runtime that reads several, also when another one leaves that has read none', async () => {
    const { provider, writer, other, start } = await cluster();
    const received = [read(other, await start()), read(other, await start())];
    provider.responses.forEach((response, i) => void response.write(`data: ${JSON.stringify(chunk(`${i} `))}\n\n`));
    await waitUntilWithClock(writer, () => received.every((each, i) => each.text() === `${i} `));
    const wanted = sendOf(other);
    const { messages } = other.store;
    await messages?.send([
      { to: null, text: JSON.stringify({ type: 'leave', from: messages.self, tenant: 'default', ids: ['none'] }) },
    ]);
    for (let renewals = 1; renewals <= 7; renewals += 1) {
      writer.clock.advance(5_000);
      other.clock.advance(5_000);
      await waitUntil(() => wanted.mock.calls.length > renewals);
    }
    provider.responses.forEach((response) => void response.write(`data: ${JSON.stringify(chunk('more'))}\n\n`));
    await waitUntilWithClock(writer, () => received.every((each, i) => each.text() === `${i} more`));
    expect([...writer.errors, ...other.errors]).toEqual([]);
  });

  it('reach readers again after the connection that listens was lost', async () => {
    const database = postgresDatabase(server);
    const { provider, writer, other, start } = await cluster(database);
    const id = await start();
    const received = read(other, id);
    provider.send({ content: 'one ' });
    await waitUntilWithClock(writer, () => received.text() === 'one ');
    const client = new Client({ connectionString: await database.url() });
    await client.connect();
    onTestFinished(() => client.end());
    const listening = async (): Promise<number[]> => {
      const { rows } = await client.query<{ pid: number }>(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'",
      );
      return rows.map(({ pid }) => pid);
    };
    const before = await listening();
    for (const pid of before) await client.query('SELECT pg_terminate_backend($1)', [pid]);
    provider.send({ content: 'two ' });
    await waitUntil(async () => {
      const now = await listening();
      return now.length === 2 && now.every((pid) => !before.includes(pid));
    });
    provider.send({ content: 'three' });
    await waitUntilWithClock(writer, () => {
      other.clock.advance(5);
      return received.text() === 'one two three';
    });
  });

  it('are dropped when their runtime is not heard of any more', async () => {
    const { provider, writer, other, start } = await cluster();
    const id = await start();
    const received = read(other, id);
    provider.send({ content: 'one ' });
    await waitUntilWithClock(writer, () => received.text() === 'one ');
    sendOf(writer).mockResolvedValue();
    other.clock.advance(20_000);
    const late = read(other, id);
    provider.end();
    await other.settled(id);
    expect(late.deltas).toEqual([]);
  });
});

function chunk(content: string) {
  return {
    id: 'c',
    object: 'chat.completion.chunk',
    created: 0,
    model: 'gpt-4o',
    choices: [{ index: 0, delta: { content }, finish_reason: null }],
  };
}

describe('the progress of a tool in one of several runtimes', () => {
  it('reaches readers at the others', async () => {
    const contexts: ToolContext[] = [];
    const work = (_input: unknown, context: ToolContext) => new Promise(() => contexts.push(context));
    const { join } = openCluster(postgresDatabase(server));
    const writer = await join({ tools: { work } });
    const other = await join({});
    const nodes = { a: { kind: { type: 'tool', tool_ref: 'work' } } };
    const id = await writer.run({ workflow_id: 'work', version: '1', nodes, edges: [] });
    await waitUntil(() => contexts.length === 1);
    contexts[0]?.progress('loading');
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const read: LiveUpdate[] = [];
    void (async () => {
      for await (const update of other.runtime.live('default', id, stop.signal)) read.push(update);
    })();
    // A reader that comes while progress is being sent may be told twice.
    const different = () => read.filter((update, i) => JSON.stringify(update) !== JSON.stringify(read[i - 1]));
    await waitUntilWithClock(writer, () => different().length === 1);
    contexts[0]?.progress(0.5);
    await waitUntilWithClock(writer, () => different().length === 2);
    const visit = { executionId: id, nodeId: 'a', activation: 1, attempt: 0 };
    expect(different()).toEqual([
      { ...visit, progress: { fraction: null, text: 'loading' } },
      { ...visit, progress: { fraction: 0.5, text: 'loading' } },
    ]);
  });
});
