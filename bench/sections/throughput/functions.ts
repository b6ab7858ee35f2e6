import { statSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { JsonObject } from '../../../machines/json.ts';
import { cpu, exact, type Row, type Table, wall } from '../../figures.ts';
import { cpuMsOfThisProcess, memory } from '../../machine.ts';
import { stepping, waiting } from '../../subjects/functions.ts';
import { CALLER, many, type Open, openRuntime, withRuntime } from '../../subjects/in-process.ts';
import * as tools from '../../subjects/tools.ts';
import { linear, WAITING } from '../../subjects/workflows.ts';

/** Operations of a function, and nodes of the graph beside it. */
const OPERATIONS = 100;
const EXECUTIONS = 64;
/** Both are measured in turn, so that what else the machine does concerns both; the medians are compared. */
const ROUNDS = 7;
const WARM_UP_ROUNDS = 2;
const JOURNAL = 1_000;
const RESUMED = 20;
const LANES = 512;
/** For how long parked functions stay in memory. */
const STAY_MS = 31_000;

const OPTIONS = { tools: { ...tools, ...stepping.tools, ...waiting.tools } };

/** What an operation of a durable function costs, what it costs to run one again from its journal, and what parked ones hold. */
export async function functions(folder: string): Promise<readonly Table[]> {
  return [await steps(folder), await resumes(folder), await parked(folder, 10_000)];
}

/** 100,000 of each. */
export async function parkedFunctions(folder: string): Promise<readonly Table[]> {
  return [await parked(folder, 100_000)];
}

async function steps(folder: string): Promise<Table> {
  return withRuntime(
    folder,
    'steps',
    async ({ runtime }) => {
      const graph = linear(OPERATIONS);
      const forms = [
        { label: 'ctx.step', id: stepping.id, document: stepping.document, costs: [] as Cost[] },
        { label: 'tool node', id: String(graph.workflow_id), document: graph, costs: [] as Cost[] },
      ] as const;
      for (const { document } of forms) await runtime.register(CALLER, document);
      for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1)
        for (const { id, costs } of forms) {
          const cost = await costOf(() =>
            many(EXECUTIONS, EXECUTIONS, async () => {
              const input = { n: 0, count: OPERATIONS };
              const { executionId } = await runtime.start(CALLER, { workflowId: id, input });
              await completed(runtime, executionId);
            }),
          );
          if (round >= 0) costs.push(cost);
        }
      const each = (ms: number) => (ms * 1_000) / OPERATIONS / EXECUTIONS;
      const [step, node] = forms.map(({ costs }) => ({
        cpu: each(median(costs.map(({ cpuMs }) => cpuMs))),
        wall: each(median(costs.map(({ ms }) => ms))),
      })) as [Each, Each];
      return {
        title: `A step of a durable function beside a tool node of a graph: ${OPERATIONS} in each execution, ${EXECUTIONS} at once`,
        columns: [cpu('CPU µs', 1), wall('µs', 1)],
        rows: [
          { label: 'ctx.step', values: [step.cpu, step.wall] },
          { label: 'tool node', values: [node.cpu, node.wall] },
          { label: 'ctx.step ÷ tool node', values: [step.cpu / node.cpu, step.wall / node.wall] },
        ],
      };
    },
    OPTIONS,
  );
}

interface Each {
  readonly cpu: number;
  readonly wall: number;
}

interface Cost {
  readonly cpuMs: number;
  readonly ms: number;
}

async function costOf(body: () => Promise<unknown>): Promise<Cost> {
  const before = { cpuMs: cpuMsOfThisProcess(), ms: performance.now() };
  await body();
  return { cpuMs: cpuMsOfThisProcess() - before.cpuMs, ms: performance.now() - before.ms };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** A function that waits after 1,000 steps is woken in a new runtime: its log is read, and it runs again from its top to the end. */
async function resumes(folder: string): Promise<Table> {
  const first = await openRuntime(folder, 'resumes', OPTIONS);
  await first.runtime.register(CALLER, waiting.document);
  const ids: string[] = [];
  await many(RESUMED + WARM_UP_ROUNDS, RESUMED, async () => {
    const input = { count: JOURNAL };
    const { executionId } = await first.runtime.start(CALLER, { workflowId: waiting.id, input });
    await first.runtime.settled(CALLER.tenantId, executionId, 60_000);
    ids.push(executionId);
  });
  await first.close();
  const second = await openRuntime(folder, 'resumes', OPTIONS);
  const costs: Cost[] = [];
  for (const id of ids) costs.push(await costOf(() => woken(second, id)));
  await second.close();
  const measured = costs.slice(WARM_UP_ROUNDS);
  return {
    title: `A function with ${JOURNAL.toLocaleString('en-US')} operations in its journal goes on in a new process`,
    columns: [cpu('CPU ms', 1), wall('ms', 1)],
    rows: [
      {
        label: 'woken, run again, completed',
        values: [median(measured.map(({ cpuMs }) => cpuMs)), median(measured.map(({ ms }) => ms))],
      },
    ],
  };
}

async function woken({ runtime }: Open, id: string): Promise<void> {
  await runtime.sendEvent(CALLER, id, { key: 'wake', payload: {} });
  await completed(runtime, id);
}

async function completed(runtime: Open['runtime'], id: string): Promise<void> {
  const view = await runtime.settled(CALLER.tenantId, id, 60_000);
  if (view.status !== 'completed') throw new Error(`${id} is ${view.status}: ${view.error ?? 'no error'}`);
}

/** Memory and disk of functions that wait, beside executions that wait at a node. */
async function parked(folder: string, count: number): Promise<Table> {
  const rows: Row[] = [];
  const kinds = [
    { label: 'waits', id: 'waiting', document: WAITING },
    { label: 'parked functions', id: waiting.id, document: waiting.document },
  ];
  // What is loaded and compiled only once is not counted.
  for (const kind of kinds) await held(folder, kind, LANES);
  for (const kind of kinds) {
    const { started, later, reopened, fileBytes } = await held(folder, kind, count);
    rows.push({ label: kind.label, values: [...[started, later, reopened].map((bytes) => bytes / 2 ** 20), fileBytes / count] });
  }
  return {
    title: `${count.toLocaleString('en-US')} durable functions that wait for an event, beside as many waits of a graph`,
    columns: [exact('heap MiB', 1), exact('after 31 s', 1), exact('reopened', 1), exact('file B each', 0)],
    rows,
  };
}

interface Waiting {
  readonly id: string;
  readonly document: JsonObject;
}

/** Bytes of the heap with so many executions that wait, in the process that has started them and after its restart, and of the file. */
async function held(folder: string, { id, document }: Waiting, count: number) {
  const name = `${id}-${count}`;
  const before = memory().heapUsed;
  let started = 0;
  const { path, heapUsed: later } = await opened(folder, name, async ({ runtime }) => {
    await runtime.register(CALLER, document);
    await many(count, LANES, async () => {
      const { executionId } = await runtime.start(CALLER, { workflowId: id, input: { count: 0 } });
      const { status } = await runtime.settled(CALLER.tenantId, executionId, 60_000);
      if (status !== 'paused') throw new Error(`${executionId} is ${status}`);
    });
    started = heapUsed();
    await setTimeout(STAY_MS);
  });
  const { heapUsed: reopened } = await opened(folder, name, async () => {});
  return { started: started - before, later: later - before, reopened: reopened - before, fileBytes: statSync(path).size };
}

/** The heap of a runtime after `body`, which is not held after that. */
async function opened(folder: string, name: string, body: (open: Open) => Promise<void>) {
  const open = await openRuntime(folder, name, OPTIONS);
  await body(open);
  const after = heapUsed();
  await open.close();
  return { path: open.path, heapUsed: after };
}

function heapUsed(): number {
  // What has an abort signal is gone only with the second collection.
  memory();
  return memory().heapUsed;
}
