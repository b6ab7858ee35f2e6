import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { otlpReceiver } from '../support/otlp-receiver.ts';
import { parsePrometheus } from '../support/prometheus.ts';
import { startServer, temporaryFolder } from '../support/server.ts';

/** The first attempt calls the test, and never ends. */
const tools = (url: string): string => `
export async function slow(_input, { attempt, traceparent }) {
  if (attempt > 0) return { traceparent };
  await fetch('${url}', { headers: { traceparent } });
  await new Promise(() => {});
}
export const quick = () => ({});
`;

const SLOW = {
  workflow_id: 'slow',
  version: '1',
  retry_policies: { r: { max_attempts: 3, backoff: 'fixed', initial_delay: 0, max_delay: 0, jitter: false, retryable_on: [] } },
  nodes: { slow: { kind: { type: 'tool', tool_ref: 'slow' }, retry_policy: 'r' } },
  edges: [{ from: 'slow', to: 'end' }],
};

const QUICK = {
  workflow_id: 'quick',
  version: '1',
  nodes: { quick: { kind: { type: 'tool', tool_ref: 'quick' } } },
  edges: [{ from: 'quick', to: 'end' }],
};

/** Resolves with the `traceparent` of the first request. */
async function callee(): Promise<{ readonly url: string; readonly called: Promise<string | undefined> }> {
  let onCall = (_traceparent: string | undefined): void => {};
  const called = new Promise<string | undefined>((resolve) => {
    onCall = resolve;
  });
  const server = createServer((request, reply) => {
    onCall(request.headers.traceparent as string | undefined);
    reply.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, called };
}

describe('a server with telemetry', () => {
  it('keeps one trace per execution when it is killed in an attempt, and counts what it does', async () => {
    const collector = await otlpReceiver();
    const { url, called } = await callee();
    const folder = temporaryFolder((remove) => onTestFinished(remove));
    writeFileSync(join(folder, 'tools.mjs'), tools(url));
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '50' };
    const options = { folder, tools: join(folder, 'tools.mjs'), env };
    const first = await startServer(options);
    await first.client.registerWorkflow(SLOW);
    const { execution_id: id } = await first.client.start({ workflow_id: 'slow' });
    const handedOn = await called;
    await first.kill();

    const second = await startServer(options);
    expect(await second.client.execution(id, { waitMs: 30_000 })).toMatchObject({ status: 'completed' });
    const spans = await collector.received(3);
    expect(spans).toHaveLength(3);
    const execution = spans.find(({ parentSpanId }) => parentSpanId === '');
    expect(execution).toMatchObject({ name: 'slow', traceId: id.replace('exec_', ''), status: { code: 0 } });
    const attempts = spans.filter((span) => span !== execution);
    expect(attempts.map(({ status, attributes }) => [attributes['jamjet.attempt'], status])).toEqual([
      [0, { code: 2, message: 'runtime lost' }],
      [1, { code: 0, message: '' }],
    ]);
    for (const { traceId, parentSpanId } of attempts)
      expect([traceId, parentSpanId]).toEqual([execution?.traceId, execution?.spanId]);
    expect(handedOn).toBe(`00-${execution?.traceId}-${attempts[0]?.spanId}-01`);

    await second.client.registerWorkflow(QUICK);
    const { execution_id: quick } = await second.client.start({ workflow_id: 'quick' });
    expect(await second.client.execution(quick, { waitMs: 30_000 })).toMatchObject({ status: 'completed' });
    const scraped = await fetch(`${second.url}/metrics`);
    const { value } = parsePrometheus(await scraped.text());
    expect(value('jamjet_attempts_ended_total', { workflow: 'quick', kind: 'tool', outcome: 'completed' })).toBe(1);
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(0);
    await second.terminate();
  });

  it('does not start with a protocol that it cannot send', async () => {
    const folder = temporaryFolder((remove) => onTestFinished(remove));
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4317', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
    await expect(startServer({ folder, env })).rejects.toThrow(
      /OTEL_EXPORTER_OTLP_PROTOCOL: must be http\/protobuf or http\/json/,
    );
  });
});
