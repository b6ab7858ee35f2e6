import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMachine } from 'xstate';
import { EVENT_TYPES, type EventType } from '../../../machines/events/index.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import type { TimedEvent } from '../../../machines/replay/index.ts';
import { readWorkflow } from '../../../src/cli/input/workflow-file.ts';
import { isTerminal } from '../../../src/cli/terminal/status.ts';
import { ModuleLoader } from '../../../src/project/module-loader.ts';
import { loadLocalTools } from '../../../src/project/tools.ts';
import { entryEvents } from '../../support/event-rows.ts';
import { someOf } from '../../support/properties.ts';
import { runtimeServer } from '../runtime-server.ts';
import { allDone, type Received, Receiver, shapeFaults, snapshotOf } from './receiver.ts';
import { type Step, stepsByXState } from './xstate-inspection.ts';

const NAMES = readdirSync('examples', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .filter((name) => readdirSync(join('examples', name)).includes('workflow.yaml'));
/** Child workflows are registered before the parent in `workflow.yaml`. */
const EXAMPLES = await Promise.all(
  NAMES.map(async (name) => {
    const files = readdirSync(join('examples', name)).filter((file) => file.endsWith('.yaml'));
    const authored = await Promise.all(files.map((file) => readWorkflow(join('examples', name, file), process.cwd())));
    return { name, authored, input: JSON.parse(readFileSync(join('examples', name, 'input.json'), 'utf8')) as JsonObject };
  }),
);
const TOOLS = await loadLocalTools(
  Object.assign({}, ...EXAMPLES.flatMap(({ authored }) => authored.map((file) => file.localTools))),
  resolve('examples'),
  new ModuleLoader({ cwd: process.cwd(), fresh: false }),
);

/** The operator's file that the README of stock-check asks for. */
const [, operatorFile = ''] = /```toml\n(.*?)```/s.exec(readFileSync('examples/stock-check/README.md', 'utf8')) ?? [];
const folder = mkdtempSync(join(tmpdir(), 'jamjet-examples-'));
writeFileSync(join(folder, 'jamjet.toml'), operatorFile);
const models: Server = await serviceOf('support-triage').then(({ startService }) => startService(0));
const lawyer: Server = await import(pathToFileURL(resolve('examples/contract-review/agent.mjs')).href).then(({ startAgent }) =>
  startAgent(0),
);
const named: Server = await serviceOf('answer-quality').then(({ startService }) => startService(0));
const urlOf = (service: Server): string => `http://127.0.0.1:${(service.address() as AddressInfo).port}/v1`;
const namedModel = (model: string) => ({ provider: 'openai-compatible', model, base_url: urlOf(named) });

const server = runtimeServer(TOOLS, {
  JAMJET_ALLOW_PRIVATE_ADDRESSES: 'true',
  JAMJET_CONFIG: join(folder, 'jamjet.toml'),
  OPENAI_BASE_URL: urlOf(models),
  JAMJET_MODELS: JSON.stringify({ writer: namedModel('writer'), judge: namedModel('judge') }),
  OPENAI_API_KEY: 'offline',
});

let service: { readonly url: string; close(): Promise<void> };
beforeAll(async () => {
  service = await (await serviceOf('data-pipeline')).startService();
});
afterAll(async () => {
  await service.close();
  models.close();
  lawyer.closeAllConnections();
  lawyer.close();
  named.close();
  rmSync(folder, { recursive: true });
});

function serviceOf(example: string) {
  return import(pathToFileURL(resolve('examples', example, 'service.mjs')).href);
}

/** Approves everything and sends all awaited events until the execution has ended. */
async function driven(id: string): Promise<void> {
  const { client } = server();
  for (;;) {
    const { status } = await client.execution(id, { waitMs: 10_000 });
    if (isTerminal(status)) return;
    const { pending } = await client.approvals(id);
    for (const { node_id } of pending) await client.approve(id, { decision: 'approved', node_id });
    if (pending.length === 0)
      await client.sendEvent(id, { key: 'payment-received', payload: { amount: 63 } }).catch(() => undefined);
  }
}

/** The stored log, which is spelled differently than events of the API. */
function logOf(id: string): readonly TimedEvent[] {
  const database = new Database(join(server().folder, '.jamjet', 'runtime.db'), { readonly: true });
  const events = [...entryEvents(database)].filter(({ executionId }) => executionId === id);
  database.close();
  return events.map(({ seq, type, nodeId, data, atMs }) => ({
    sequence: seq,
    type: type as EventType,
    node_id: nodeId,
    data: JSON.parse(data) as JsonObject,
    at_ms: atMs,
  }));
}

/** Is it an event of the log? A step in which the machine takes no part is shown by it. */
function isOfLog(event: unknown): boolean {
  return (EVENT_TYPES as readonly unknown[]).includes((event as { readonly type: string }).type);
}

/** The steps received by a viewer: the events before each snapshot, and its state value. */
function receivedSteps(messages: readonly Received[]): readonly Step[] {
  const steps: Step[] = [];
  let events: unknown[] = [];
  for (const message of messages) {
    if (message.type === '@xstate.event') events.push(message.event);
    if (message.type !== '@xstate.snapshot') continue;
    expect(message.event).toEqual(events.at(-1));
    steps.push({ events: events.filter((event) => !isOfLog(event)), value: snapshotOf(message).value as Json });
    events = [];
  }
  return steps;
}

describe.each(someOf(EXAMPLES))('the example $name in Stately’s inspector', ({ authored, input }) => {
  it('follows the protocol, matches XState itself, and is the same for early and late viewers', async () => {
    const { client, jamjet } = server();
    let workflow_id = '';
    for (const { document } of authored) ({ workflow_id } = await client.registerWorkflow(document as JsonObject));
    const given = {
      ...input,
      ...('service' in input ? { service: service.url } : {}),
      ...('agent' in input ? { agent: urlOf(lawyer).replace('/v1', '') } : {}),
    };
    const { execution_id: id } = await client.start({ workflow_id, input: given });
    const session = jamjet(`inspect ${id} --stately --json`);
    await session.shows('"socket"');
    const { socket } = JSON.parse(session.screen) as { readonly socket: string };

    const early = new Receiver(socket);
    await early.until(({ length }) => length > 0);
    await driven(id);
    expect(await client.execution(id)).toMatchObject({ status: 'completed' });
    await early.until(allDone);
    const late = new Receiver(socket);
    await late.until((messages) => messages.length === early.messages.length);
    session.signals.emit('SIGINT');
    expect((await session.ended).code).toBe(0);

    expect(shapeFaults(early.messages)).toEqual([]);
    const actors = early.messages.filter((message) => message.type === '@xstate.actor');
    expect(actors[0]).toMatchObject({ sessionId: id, rootId: id, name: workflow_id });
    for (const actor of actors) {
      const { sessionId } = actor;
      const messages = early.of(sessionId);
      expect(late.of(sessionId)).toEqual(messages);
      expect(messages.indexOf(actor)).toBe(0);
      expect(messages.filter(({ type }) => type === '@xstate.actor')).toHaveLength(1);

      const machine = createMachine(JSON.parse(String(actor.definition)));
      for (const message of messages) {
        const value = snapshotOf(message).value ?? null;
        if (value !== null) expect(machine.resolveState({ value: value as never, context: {} }).value).toEqual(value);
      }

      const { workflow_version, ...execution } = await client.execution(sessionId);
      const { ir } = await client.workflow(execution.workflow_id, workflow_version);
      const steps = stepsByXState(ir, sessionId, logOf(sessionId));
      expect(receivedSteps(messages)).toEqual(JSON.parse(JSON.stringify(steps)));
      expect(snapshotOf(messages.at(-1))).toMatchObject({ status: 'done', output: execution.state });
    }
  });
});

it('shows child executions as actors that exchange events with their parent', async () => {
  const { client, jamjet } = server();
  const { authored, input } = EXAMPLES.find(({ name }) => name === 'onboarding') ?? { authored: [], input: {} };
  for (const { document } of authored) await client.registerWorkflow(document as JsonObject);
  const { execution_id: id } = await client.start({ workflow_id: 'onboarding', input });
  await driven(id);
  const session = jamjet(`inspect ${id} --stately --json --once`);
  await session.shows('"socket"');
  const receiver = new Receiver((JSON.parse(session.screen) as { readonly socket: string }).socket);
  expect((await session.ended).code).toBe(0);
  await receiver.until(allDone);
  const [parent, child, ...more] = receiver.messages.filter(({ type }) => type === '@xstate.actor');
  expect(more).toEqual([]);
  const childId = String(child?.sessionId);
  expect(child).toMatchObject({ rootId: id, parentId: id });
  expect(parent).not.toHaveProperty('parentId');
  expect(await client.execution(childId)).toMatchObject({ parent_execution_id: id });
  const events = receiver.messages.filter(({ type }) => type === '@xstate.event');
  expect(events.filter(({ sessionId, sourceId }) => sessionId === childId && sourceId === id)).toMatchObject([
    { event: { type: 'xstate.init' } },
  ]);
  expect(events.filter(({ sessionId, sourceId }) => sessionId === id && sourceId === childId)).toMatchObject([
    { event: { type: 'child', change: { status: 'started' } } },
    { event: { type: 'child', change: { status: 'completed' } } },
  ]);
});
