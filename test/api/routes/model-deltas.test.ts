import { describe, expect, it } from 'vitest';
import { JamjetClient, type LiveTextDelta } from '../../../src/client/index.ts';
import type { TextDelta } from '../../../src/runtime/types/executions.ts';
import type { ToolContext } from '../../../src/runtime/types/work.ts';
import { dictated } from '../../executors/dictated-provider.ts';
import { openEventStream } from '../../support/event-stream.ts';
import { eventually, openTestRuntime } from '../../support/runtimes.ts';
import { api, ECHO } from '../support/api.ts';

const document = {
  workflow_id: 'ask',
  version: '1',
  nodes: { think: { kind: { type: 'model', model_ref: 'gpt-4o', prompt_ref: 'Hello', output_key: 'answer' } } },
  edges: [],
};

describe('the texts that models write', () => {
  it('are shown without personal data, also where it comes in parts', async () => {
    const provider = await dictated();
    const { run, runtime, settled } = await openTestRuntime({ models: provider.models });
    const id = await run(
      { ...document, data_policy: { pii_detectors: ['email'], pii_fields: ['$.name'] } },
      { name: 'Ann Smith' },
    );
    await eventually(() => provider.responses.length === 1);
    const stop = new AbortController();
    let shown = '';
    void (async () => {
      for await (const { text } of runtime.deltas('default', id, stop.signal)) shown += text;
    })();
    for (const content of ['Write to Ann', ' Smi', 'th, at ann', '.smith@exam', 'ple.com', ' and to no', ' other.'])
      provider.send({ content });
    await eventually(() => shown.endsWith('to no '));
    expect(shown).toBe('Write to [REDACTED], at [REDACTED] and to no ');
    provider.end();
    expect((await settled(id)).state).toMatchObject({ answer: 'Write to [REDACTED], at [REDACTED] and to no other.' });
    stop.abort();
  });

  it('reach their readers while they are written, and late ones with what there is', async () => {
    const provider = await dictated();
    const { run, runtime, settled, log } = await openTestRuntime({ models: provider.models });
    const id = await run(document);
    await eventually(() => provider.responses.length === 1);
    const stop = new AbortController();
    const read = (tenantId: string): TextDelta[] => {
      const deltas: TextDelta[] = [];
      void (async () => {
        for await (const delta of runtime.deltas(tenantId, id, stop.signal)) deltas.push(delta);
      })();
      return deltas;
    };
    const early = read('default');
    const other = read('other');
    provider.send({ content: 'Good ' });
    await eventually(() => early.length === 1);
    const late = read('default');
    await eventually(() => late.length === 1);
    provider.send({ content: 'day.' });
    await eventually(() => early.length === 2 && late.length === 2);
    provider.end();
    expect(await settled(id)).toMatchObject({ status: 'completed', state: { answer: 'Good day.' } });
    stop.abort();
    const at = { executionId: id, nodeId: 'think', activation: 1, attempt: 0 };
    expect(early).toEqual([
      { ...at, index: 0, text: 'Good ' },
      { ...at, index: 5, text: 'day.' },
    ]);
    expect(late).toEqual(early);
    expect(other).toEqual([]);
    expect((await log(id)).map(({ type }) => type)).toEqual([
      'workflow_started',
      'node_scheduled',
      'node_started',
      'node_completed',
      'workflow_completed',
    ]);
  });

  it('reach a late reader in parts of limited size, none of which ends inside a character', async () => {
    const provider = await dictated();
    const { run, runtime } = await openTestRuntime({ models: provider.models });
    const id = await run(document);
    await eventually(() => provider.responses.length === 1);
    const text = `x${'\u{1f600}'.repeat(50_000)}`;
    const stop = new AbortController();
    const read = async (): Promise<TextDelta[]> => {
      const deltas: TextDelta[] = [];
      let length = 0;
      for await (const delta of runtime.deltas('default', id, stop.signal)) {
        deltas.push(delta);
        length += delta.text.length;
        if (length === text.length) break;
      }
      return deltas;
    };
    const early = read();
    provider.send({ content: text });
    for (const deltas of [await early, await read()]) {
      expect(deltas.map((delta) => delta.text).join('')).toBe(text);
      for (const delta of deltas) {
        expect(delta.text.length).toBeLessThanOrEqual(16_384);
        expect(delta.text.isWellFormed()).toBe(true);
        expect(text.slice(delta.index)).toMatch(delta.text.slice(0, 10));
      }
    }
    stop.abort();
    provider.end();
  });

  it('end for a reader with its signal, and when the runtime closes', async () => {
    const provider = await dictated();
    const { run, runtime, close } = await openTestRuntime({ models: provider.models });
    const id = await run(document);
    const stop = new AbortController();
    const first = runtime.deltas('default', id, stop.signal)[Symbol.asyncIterator]().next();
    const second = runtime.deltas('default', id, new AbortController().signal)[Symbol.asyncIterator]().next();
    stop.abort();
    expect(await first).toEqual({ done: true, value: undefined });
    await close();
    expect(await second).toEqual({ done: true, value: undefined });
  });
});

describe('the stream of an execution', () => {
  it('has the texts between the events, without an id, and the client reads both', async () => {
    const provider = await dictated();
    const server = await api({ models: provider.models });
    const url = await server.app.listen({ host: '127.0.0.1', port: 0 });
    const token = await server.token('viewer');
    const id = await server.started(document);
    await eventually(() => provider.responses.length === 1);
    const stream = await openEventStream(`${url}/executions/${id}/events`, { authorization: `Bearer ${token}` });
    for (const event of ['WorkflowStarted', 'NodeScheduled', 'NodeStarted']) expect(await stream.next()).toMatchObject({ event });
    const client = new JamjetClient({ url, token });
    const parts: LiveTextDelta[] = [];
    const read = (async () => {
      for await (const part of client.live.deltas(id)) parts.push(part);
    })();
    const events: string[] = [];
    const followed = (async () => {
      for await (const event of client.live.execution(id)) events.push(event.kind as string);
    })();
    provider.send({ content: 'Good ' });
    const delta = await stream.next();
    const part = { execution_id: id, node_id: 'think', activation: 1, attempt: 0, index: 0, text: 'Good ' };
    expect(delta).toMatchObject({ id: '3', event: 'delta' });
    expect(JSON.parse(delta?.data ?? '')).toEqual(part);
    await eventually(() => parts.length === 1);
    provider.end();
    expect((await stream.remaining()).map(({ event }) => event)).toEqual(['NodeCompleted', 'WorkflowCompleted', 'end']);
    await Promise.all([read, followed]);
    expect(parts).toEqual([part]);
    expect(events).toEqual(['WorkflowStarted', 'NodeScheduled', 'NodeStarted', 'NodeCompleted', 'WorkflowCompleted']);
  });

  it('has no texts if it selects kinds', async () => {
    const provider = await dictated();
    const server = await api({ models: provider.models });
    const url = await server.app.listen({ host: '127.0.0.1', port: 0 });
    const id = await server.started(document);
    await eventually(() => provider.responses.length === 1);
    const authorization = `Bearer ${await server.token('viewer')}`;
    const stream = await openEventStream(`${url}/executions/${id}/events?kind=node_completed`, { authorization });
    provider.send({ content: 'Good ' });
    provider.end();
    expect((await stream.remaining()).map(({ event }) => event)).toEqual(['NodeCompleted', 'end']);
  });
});

describe('the progress of tools', () => {
  it('is an event of the stream without an id, which the client reads beside texts', async () => {
    let finish: () => void = () => {};
    const work = (_input: unknown, { progress }: ToolContext) =>
      new Promise((resolve) => {
        progress('loading rows');
        progress(0.4);
        finish = () => resolve({});
      });
    const it = await api({ tools: { echo: work } });
    const id = await it.started(ECHO);
    const url = await it.app.listen({ host: '127.0.0.1', port: 0 });
    const headers = { authorization: `Bearer ${await it.token('viewer')}` };
    const stream = await openEventStream(`${url}/executions/${id}/events`, headers);
    let message = await stream.next();
    while (message !== null && message.event !== 'progress') message = await stream.next();
    const visit = { execution_id: id, node_id: 'echo', activation: 1, attempt: 0 };
    expect(JSON.parse(message?.data ?? '')).toEqual({ ...visit, fraction: 0.4, text: 'loading rows' });
    const client = new JamjetClient({ url, token: await it.token('viewer') });
    const updates = client.live.updates(id);
    expect((await updates.next()).value).toEqual({ ...visit, fraction: 0.4, text: 'loading rows' });
    finish();
    expect((await updates.next()).done).toBe(true);
    expect((await stream.remaining()).at(-1)?.event).toBe('end');
  });
});
