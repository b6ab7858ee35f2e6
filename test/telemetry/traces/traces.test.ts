import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { readScript } from '../../../src/executors/model/script.ts';
import type { ToolContext } from '../../../src/runtime/types/work.ts';
import { type TracingChoice, tracingOf } from '../../../src/server/tracing-settings.ts';
import { Tracing } from '../../../src/telemetry/traces/index.ts';
import type { TracingSettings } from '../../../src/telemetry/traces/settings.ts';
import { openSqlite } from '../../../store/sqlite/open.ts';
import { FakeClock } from '../../support/clock.ts';
import { type OtlpReceiver, otlpReceiver, type ReceivedSpan } from '../../support/otlp-receiver.ts';
import { CALLER, databasePath, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

const PRIVATE = 'ada@example.com';
const CALLERS_TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLERS_SPAN = '00f067aa0ba902b7';
const TRACEPARENT = `00-${CALLERS_TRACE}-${CALLERS_SPAN}-01`;

function settingsOf(env: Readonly<Record<string, string>>): TracingSettings {
  const choice: TracingChoice = tracingOf(env);
  if (choice === null || 'problems' in choice) throw new Error(`no settings: ${JSON.stringify(choice)}`);
  return choice;
}

interface Traced extends TestRuntime {
  readonly collector: OtlpReceiver;
  readonly problems: string[];
  /** Sends what is recorded, and returns it with what was sent before. */
  flushed(): Promise<readonly ReceivedSpan[]>;
}

/** A runtime that sends its spans to a collector. The runtime is closed by `flushed`. */
async function traced(
  options: Parameters<typeof openTestRuntime>[0] & {
    readonly env?: Readonly<Record<string, string>>;
    readonly collector?: OtlpReceiver;
  } = {},
): Promise<Traced> {
  const collector = options.collector ?? (await otlpReceiver());
  const problems: string[] = [];
  const path = options.path ?? databasePath();
  const clock = options.clock ?? new FakeClock();
  // Reads what the runtime has committed.
  const reader = await openSqlite({ path, writer: 'reader' });
  const settings = settingsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...options.env });
  const tracing = await Tracing.create({
    settings,
    store: reader,
    version: '1.2.3',
    instanceId: 'rt_1',
    onProblem: (problem) => problems.push(problem),
    onError: (error) => problems.push(String(error)),
  });
  let closed: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closed ??= tracing.close().then(() => reader.close());
    return closed;
  };
  onTestFinished(close);
  const parts = await openTestRuntime({ ...options, path, clock, tracing });
  return {
    ...parts,
    collector,
    problems,
    async flushed() {
      await parts.close();
      await close();
      return collector.spans;
    },
  };
}

function only(spans: readonly ReceivedSpan[], name: string): ReceivedSpan {
  const found = spans.filter((span) => span.name === name);
  const [span] = found;
  if (span === undefined || found.length > 1)
    throw new Error(`${found.length} spans "${name}" of ${spans.map((each) => each.name)}`);
  return span;
}

const RETRY = { max_attempts: 2, backoff: 'fixed', initial_delay: 2, max_delay: 2, jitter: false, retryable_on: [] };

/** One node that calls the tool `call`, at most twice. */
const FLAKY: JsonObject = {
  workflow_id: 'flaky',
  version: '1',
  retry_policies: { r: RETRY },
  nodes: { call: { kind: { type: 'tool', tool_ref: 'call' }, retry_policy: 'r' } },
  edges: [{ from: 'call', to: 'end' }],
};
const REVIEW: JsonObject = {
  workflow_id: 'review',
  version: '1',
  nodes: { review: { kind: { type: 'human_approval', description: 'Release?' } } },
  edges: [{ from: 'review', to: 'end' }],
};

const failsOnce = {
  call: (_input: unknown, { attempt }: ToolContext) => {
    if (attempt === 0) throw new TypeError('no answer');
    return { answer: PRIVATE };
  },
};

/** Starts the workflow, and runs it to its end when its first attempt fails. */
async function runFlaky({ runtime, settled, clock, log }: TestRuntime, traceparent?: string): Promise<string> {
  await runtime.register(CALLER, FLAKY);
  const request = { workflowId: 'flaky', input: { name: PRIVATE }, ...(traceparent === undefined ? {} : { traceparent }) };
  const { executionId: id } = await runtime.start(CALLER, request);
  while (!(await log(id)).some(({ type }) => type === 'retry_scheduled')) await new Promise(setImmediate);
  clock.advance(2_000);
  await settled(id);
  return id;
}

describe.each(['http/protobuf', 'http/json'])('a trace over %s', (protocol) => {
  it('has a span for the execution, and one for each attempt below it', async () => {
    const it = await traced({ tools: failsOnce, env: { OTEL_EXPORTER_OTLP_PROTOCOL: protocol, OTEL_SERVICE_NAME: 'orders' } });
    const id = await runFlaky(it);
    const log = await it.log(id);
    const spans = await it.flushed();
    expect(it.problems).toEqual([]);
    expect(it.collector.contentTypes[0]).toBe(protocol === 'http/json' ? 'application/json' : 'application/x-protobuf');
    expect(spans).toHaveLength(3);

    const execution = only(spans, 'flaky');
    expect(execution).toMatchObject({
      traceId: id.replace('exec_', ''),
      parentSpanId: '',
      kind: 1,
      startMs: log[0]?.createdAtMs,
      endMs: log.at(-1)?.createdAtMs,
      status: { code: 0 },
      resource: { 'service.name': 'orders', 'service.version': '1.2.3', 'service.instance.id': 'rt_1' },
    });
    expect(execution.attributes).toEqual({
      'jamjet.execution.id': id,
      'jamjet.execution.status': 'completed',
      'jamjet.execution.steps': 1,
      'jamjet.workflow.id': 'flaky',
      'jamjet.workflow.version': '1',
      'jamjet.tenant.id': 'default',
    });

    const [failed, completed] = spans.filter(({ name }) => name === 'call');
    expect([failed?.parentSpanId, completed?.parentSpanId]).toEqual([execution.spanId, execution.spanId]);
    expect([failed?.attributes['jamjet.attempt'], completed?.attributes['jamjet.attempt']]).toEqual([0, 1]);
    expect(failed).toMatchObject({
      traceId: execution.traceId,
      status: { code: 2, message: 'no answer' },
      events: [{ name: 'exception', attributes: { 'exception.message': 'no answer' } }],
      links: [],
    });
    expect(completed).toMatchObject({
      traceId: execution.traceId,
      status: { code: 0 },
      links: [{ traceId: execution.traceId, spanId: failed?.spanId }],
      attributes: { 'jamjet.node.id': 'call', 'jamjet.node.kind': 'tool', 'jamjet.node.activation': 1 },
    });
    expect((completed?.startMs ?? 0) - (failed?.endMs ?? 0)).toBe(2_000);
  });
});

describe('a trace', () => {
  it('goes on in the trace of the request that started the execution', async () => {
    const it = await traced({ tools: failsOnce });
    await runFlaky(it, TRACEPARENT);
    const spans = await it.flushed();
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([CALLERS_TRACE]));
    expect(only(spans, 'flaky').parentSpanId).toBe(CALLERS_SPAN);
  });

  it('ignores a traceparent that is not valid', async () => {
    const it = await traced({ tools: failsOnce });
    const id = await runFlaky(it, '00-zz');
    expect(only(await it.flushed(), 'flaky').traceId).toBe(id.replace('exec_', ''));
  });

  it('is not recorded when that of the request is not, and tools are told', async () => {
    const seen: (string | undefined)[] = [];
    const call = (_input: unknown, { attempt, traceparent }: ToolContext) => {
      seen.push(traceparent);
      if (attempt === 0) throw new Error('again');
    };
    const it = await traced({ tools: { call } });
    await runFlaky(it, TRACEPARENT.replace(/01$/, '00'));
    expect(await it.flushed()).toEqual([]);
    expect(seen.map((text) => text?.replace(/-[0-9a-f]{16}-/, '-…-'))).toEqual([
      `00-${CALLERS_TRACE}-…-00`,
      `00-${CALLERS_TRACE}-…-00`,
    ]);
  });

  it('gives each attempt the id of its own span to hand on', async () => {
    const seen: (string | undefined)[] = [];
    const call = (_input: unknown, { attempt, traceparent }: ToolContext) => {
      seen.push(traceparent);
      if (attempt === 0) throw new Error('again');
    };
    const it = await traced({ tools: { call } });
    await runFlaky(it);
    const spans = (await it.flushed()).filter(({ name }) => name === 'call');
    expect(seen).toEqual(spans.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`));
  });

  it('goes on in child executions', async () => {
    const it = await traced({ tools: { call: () => ({}) } });
    await it.runtime.register(CALLER, FLAKY);
    const id = await it.run({
      workflow_id: 'parent',
      version: '1',
      nodes: { sub: { kind: { type: 'subgraph', workflow_ref: 'flaky' } } },
      edges: [{ from: 'sub', to: 'end' }],
    });
    await it.settled(id);
    const spans = await it.flushed();
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([id.replace('exec_', '')]));
    expect(only(spans, 'flaky').parentSpanId).toBe(only(spans, 'sub').spanId);
    expect(only(spans, 'sub').parentSpanId).toBe(only(spans, 'parent').spanId);
  });

  it('is the same after a restart, with what began before it', async () => {
    const collector = await otlpReceiver();
    const path = databasePath();
    const clock = new FakeClock();
    const first = await traced({ path, clock, collector });
    const id = await first.run(REVIEW);
    await first.settled(id);
    expect(await first.flushed()).toEqual([]);
    const startedAtMs = clock.nowMs();
    clock.advance(60_000);

    const second = await traced({ path, clock, collector });
    await second.runtime.approve(CALLER, id, { decision: 'approved' });
    await second.settled(id);
    const spans = await second.flushed();
    expect(second.problems).toEqual([]);
    expect(spans.map(({ name, startMs, endMs }) => [name, startMs - startedAtMs, endMs - startedAtMs])).toEqual([
      ['review', 0, 60_000],
      ['review', 0, 60_000],
    ]);
    const [wait, execution] = spans[0]?.parentSpanId === '' ? [spans[1], spans[0]] : [spans[0], spans[1]];
    expect([wait?.traceId, wait?.parentSpanId]).toEqual([execution?.traceId, execution?.spanId]);
  });

  it('of an execution that ends again after a retry has a further span for it', async () => {
    let isBroken = true;
    const call = () => {
      if (isBroken) throw Object.assign(new Error('broken'), { retryable: false });
      return {};
    };
    const it = await traced({ tools: { call } });
    const id = await it.run(FLAKY);
    await it.settled(id);
    isBroken = false;
    await it.runtime.retry(CALLER, id);
    await it.settled(id);
    const spans = (await it.flushed()).filter(({ name }) => name === 'flaky');
    expect(spans.map(({ status, attributes }) => [status.code, attributes['jamjet.execution.retried']])).toEqual([
      [2, undefined],
      [0, true],
    ]);
    expect(spans[1]?.parentSpanId).toBe(spans[0]?.spanId);
    expect(spans[0]).toMatchObject({
      status: { message: expect.stringContaining('broken') },
      attributes: { 'error.type': 'failed' },
    });
  });

  it('of a fork is its own, and linked to that of its origin', async () => {
    const it = await traced({ tools: { call: () => ({}) } });
    const id = await it.run(FLAKY);
    await it.settled(id);
    const { executionId } = await it.runtime.fork(CALLER, id, { atSequence: 1 });
    await it.settled(executionId ?? '');
    const spans = (await it.flushed()).filter(({ name }) => name === 'flaky');
    const [origin, fork] = spans;
    expect(fork?.traceId).toBe(executionId?.replace('exec_', ''));
    expect(fork?.links).toEqual([{ traceId: origin?.traceId, spanId: origin?.spanId }]);
    expect(fork?.attributes['jamjet.execution.forked_from.id']).toBe(id);
  });

  it('has the attributes of GenAI for calls of models', async () => {
    const script = readScript([PRIVATE]);
    const it = await traced({ models: { script } });
    const id = await it.run({
      workflow_id: 'ask',
      version: '1',
      nodes: { ask: { kind: { type: 'model', model_ref: 'gpt-4o-mini', prompt_ref: `Write to ${PRIVATE}.` } } },
      edges: [{ from: 'ask', to: 'end' }],
    });
    await it.settled(id);
    const spans = await it.flushed();
    expect(only(spans, 'chat gpt-4o-mini')).toMatchObject({
      kind: 3,
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.request.model': 'gpt-4o-mini',
        'gen_ai.provider.name': expect.any(String),
        'gen_ai.usage.input_tokens': expect.any(Number),
        'gen_ai.usage.output_tokens': expect.any(Number),
        'gen_ai.response.finish_reasons': ['stop'],
      },
    });
    expect(JSON.stringify(spans)).not.toContain(PRIVATE);
  });

  it('contains nothing of inputs and outputs, and of workflows with a data policy no texts of errors', async () => {
    const call = () => {
      throw Object.assign(new Error(`no answer for ${PRIVATE}`), { retryable: false });
    };
    const it = await traced({ tools: { call } });
    const id = await it.run({ ...FLAKY, data_policy: { pii_detectors: ['email'], redaction_mode: 'mask' } }, { name: PRIVATE });
    await it.settled(id);
    const spans = await it.flushed();
    expect(spans.map(({ status }) => status)).toEqual([
      { code: 2, message: '' },
      { code: 2, message: '' },
    ]);
    expect(JSON.stringify(spans)).not.toContain('answer');
  });
});

describe('a traceparent', () => {
  it('is handed on unchanged where no spans are recorded', async () => {
    const seen: (string | undefined)[] = [];
    const it = await openTestRuntime({
      tools: { call: (_input: unknown, { traceparent }: ToolContext) => void seen.push(traceparent) },
    });
    await it.runtime.register(CALLER, FLAKY);
    for (const more of [{ traceparent: TRACEPARENT }, {}]) {
      const { executionId } = await it.runtime.start(CALLER, { workflowId: 'flaky', ...more });
      await it.settled(executionId);
    }
    expect(seen).toEqual([TRACEPARENT, undefined]);
  });

  it('is in the log, so that it outlives the process', async () => {
    const path = databasePath();
    const seen: (string | undefined)[] = [];
    const open = () =>
      openTestRuntime({ path, tools: { call: (_input: unknown, { traceparent }: ToolContext) => void seen.push(traceparent) } });
    const first = await open();
    await first.runtime.register(CALLER, {
      ...FLAKY,
      nodes: { ...(FLAKY.nodes as JsonObject), review: { kind: { type: 'human_approval', description: 'Go on?' } } },
      edges: [
        { from: 'review', to: 'call' },
        { from: 'call', to: 'end' },
      ],
      start_node: 'review',
    });
    const { executionId: id } = await first.runtime.start(CALLER, { workflowId: 'flaky', traceparent: TRACEPARENT });
    await first.settled(id);
    expect((await first.log(id))[0]?.data.traceparent).toBe(TRACEPARENT);
    await first.close();
    const second = await open();
    await second.runtime.approve(CALLER, id, { decision: 'approved' });
    await second.settled(id);
    expect(seen).toEqual([TRACEPARENT]);
  });

  it('is in the work items of external workers, whose attempts have spans', async () => {
    const it = await traced();
    const id = await it.run({
      workflow_id: 'external',
      version: '1',
      nodes: { work: { kind: { type: 'python_fn', module: 'm', function: 'f' } } },
      edges: [{ from: 'work', to: 'end' }],
    });
    const [item] = await it.runtime.claim(CALLER, { workerId: 'worker-1', queueTypes: ['python_tool'] });
    it.clock.advance(5_000);
    await it.runtime.complete(CALLER, item?.id ?? '', { output: {}, leaseFence: item?.leaseFence ?? 0 });
    await it.settled(id);
    const { traceId, spanId, startMs, endMs, attributes } = only(await it.flushed(), 'work');
    expect(item?.traceparent).toBe(`00-${traceId}-${spanId}-01`);
    expect([endMs - startMs, attributes['jamjet.worker.id']]).toEqual([5_000, 'worker-1']);
  });

  it('is sent by http nodes', async () => {
    const headers: IncomingHttpHeaders[] = [];
    const server = createServer((request, reply) => {
      headers.push(request.headers);
      reply.end('{}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const it = await traced({ allowPrivateAddresses: true });
    const id = await it.run({
      workflow_id: 'web',
      version: '1',
      nodes: { get: { kind: { type: 'http', url, method: 'GET' } } },
      edges: [{ from: 'get', to: 'end' }],
    });
    await it.settled(id);
    const { traceId, spanId } = only(await it.flushed(), 'get');
    expect(headers.map(({ traceparent }) => traceparent)).toEqual([`00-${traceId}-${spanId}-01`]);
  });
});

describe('a collector that is unreachable', () => {
  it('delays no execution, and is reported', async () => {
    const it = await traced({ tools: failsOnce, env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' } });
    await runFlaky(it);
    expect(await it.flushed()).toEqual([]);
    expect(it.problems).toEqual([expect.stringContaining('http://127.0.0.1:1/v1/traces')]);
    expect(it.errors).toEqual([]);
  });
});
