import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { HistoryEvent } from '../../machines/history/event.ts';
import { normalise } from '../../machines/ir/normalise.ts';
import { policySetOf } from '../../machines/ir/policy.ts';
import type { Json, JsonObject } from '../../machines/json.ts';
import type { Message } from '../../machines/messages.ts';
import { tenantVerdict } from '../../machines/policy.ts';
import { COMPILER_VERSION } from '../../machines/program/version.ts';
import type { TimedEvent } from '../../machines/replay/index.ts';
import type { Status, TenantPolicy } from '../../machines/run.ts';
import { load, stateOf } from '../../machines/step/index.ts';
import { Driver } from './driver.ts';

const FOLDER = new URL('../golden/', import.meta.url);

/** A message of a scenario. Visits, timer ids and other fields are derived from the state of the run. */
type ScenarioMessage = Partial<Message> & {
  readonly type: Message['type'];
  readonly node?: string;
  readonly in_process?: readonly string[];
};

export interface Scenario {
  /** The rule that the scenario covers. */
  readonly about: string;
  readonly document: JsonObject;
  readonly input: Json;
  readonly env?: Readonly<Record<string, string>>;
  readonly step_limit?: number;
  /** It is started for later. */
  readonly start_after_ms?: number;
  /** The policy of the tenant. */
  readonly tenant_policy?: JsonObject;
  /** Nodes that run in process; a message may change the list for the rest of the scenario. */
  readonly in_process?: readonly string[];
  /** Those of them that wait for a slot. */
  readonly waits?: readonly string[];
  readonly messages: readonly ScenarioMessage[];
}

/** An execution recorded by one version of the compiler. */
export interface Golden extends Scenario {
  readonly compiler: number;
  readonly events: readonly TimedEvent[];
  /** Two intermediate snapshots and the last one. */
  readonly snapshots: readonly {
    readonly sequence: number;
    readonly status: Status;
    readonly state: JsonObject;
    readonly saved: JsonObject;
  }[];
}

const START_MS = Date.UTC(2026, 0, 1);

/** Environment of every golden log; retry delays with jitter depend on it. */
export const GOLDEN_ENV = { executionId: 'exec_golden', stepLimit: 10_000, runtimeId: 'runtime-1' } as const;

/** The events as the API returns them. */
export const historyEvents = (events: readonly TimedEvent[]): readonly HistoryEvent[] =>
  events.map(({ at_ms, ...event }) => ({ ...event, created_at: new Date(at_ms).toISOString() }));

export const goldenNames = (): string[] =>
  readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length))
    .sort();

export const readGolden = (name: string): Scenario | Golden =>
  JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')) as Scenario | Golden;

export const isRecorded = (scenario: Scenario | Golden): scenario is Golden => 'events' in scenario;

/** Runs the scenario and adds the recorded log to its file. */
export function recordGolden(name: string, scenario: Scenario): void {
  let golden: Golden;
  try {
    golden = play(scenario);
  } catch (error) {
    throw new Error(`${name}.json cannot be run: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  writeFileSync(new URL(`${name}.json`, FOLDER), formatGolden(golden));
}

function play(scenario: Scenario): Golden {
  const isAmong = (nodes: readonly string[] = []) => ({ isLocal: (node: string) => nodes.includes(node) });
  const driver = new Driver(normalise(scenario.document).workflow, {
    input: scenario.input,
    env: {
      ...GOLDEN_ENV,
      ...isAmong(scenario.in_process),
      startsAtOnce: (node) => scenario.waits?.includes(node) !== true,
      nowMs: START_MS,
      ...(scenario.start_after_ms === undefined ? {} : { startAtMs: START_MS + scenario.start_after_ms }),
      ...(scenario.step_limit === undefined ? {} : { stepLimit: scenario.step_limit }),
      vars: scenario.env ?? {},
      tenantPolicy: tenantPolicyOf(scenario.tenant_policy ?? {}),
    },
  });
  for (const { in_process, ...cue } of scenario.messages) {
    if (in_process !== undefined) driver.env = { ...driver.env, ...isAmong(in_process) };
    driver.send(messageOf(cue, driver));
  }
  const { saves } = driver;
  const chosen = [saves[Math.floor(saves.length / 3)], saves[Math.floor((saves.length * 2) / 3)], saves.at(-1)];
  const snapshots = [...new Set(chosen)].flatMap((save) => {
    if (save === undefined) return [];
    const run = load(driver.program, save.text, { seq: save.seq, input: scenario.input });
    return { sequence: save.seq, status: run.status, state: stateOf(run), saved: JSON.parse(save.text) as JsonObject };
  });
  return { ...scenario, compiler: COMPILER_VERSION, events: driver.log, snapshots };
}

export function tenantPolicyOf(given: JsonObject): TenantPolicy | null {
  const { policy } = policySetOf(given);
  if (policy === null) return null;
  return { verdict: (_node, subject, narrower) => tenantVerdict(policy, subject, narrower) };
}

function messageOf(cue: ScenarioMessage, driver: Driver): Message {
  const visit = cue.node === undefined ? {} : driver.visit(cue.node, 'item' in cue ? cue.item : undefined);
  if (cue.type === 'timer') {
    const armed = [...driver.timers.values()].find(({ node, id }) => node === cue.node && isOfItem(id, cue));
    if (armed === undefined) throw new Error(`${cue.node} has no timer`);
    // The driver's clock advances by a second with each message.
    driver.env = { ...driver.env, nowMs: armed.atMs - 1_000 };
    return { type: 'timer', id: armed.id };
  }
  return { ...visit, ...DEFAULTS[cue.type], ...cue } as Message;
}

/** The timer of the item that the cue names, or of the node itself. */
function isOfItem(id: string, cue: ScenarioMessage): boolean {
  const [, item] = id.split('#');
  return item === ('item' in cue ? String(cue.item) : undefined);
}

const DEFAULTS: Readonly<Record<Exclude<Message['type'], 'timer'>, JsonObject>> = {
  done: { output: null, durationMs: 7 },
  progress: { event: 'remote_task_started', data: {} },
  operations: { entries: [] },
  fail: { error: 'boom', retryable: true },
  used: { usage: { input_tokens: 10, output_tokens: 1, finish_reason: 'aborted' } },
  claimed: { workerId: 'worker-1' },
  requeue: {},
  decide: { userId: 'ann', comment: null, patch: null },
  event: { payload: null },
  update: { input: null },
  cancel: { reason: 'cancelled by ann' },
  abort: { error: 'internal error: it broke' },
  child: { childId: 'exec_child', childWorkflowId: 'inner' },
  enqueue: { queue: 'tool' },
  pause: { reason: null },
  resume: {},
  retry: {},
  fork: { origin: { executionId: GOLDEN_ENV.executionId, sequence: 0 }, patch: {}, decisions: [] },
};

/** One node, edge, message, event or snapshot per line, for readable diffs. */
function formatGolden(golden: Golden): string {
  const lines = (value: unknown, depth: number): string => {
    if (depth === 0 || typeof value !== 'object' || value === null || Object.keys(value).length === 0)
      return JSON.stringify(value);
    const inner = '  '.repeat(LINES - depth + 1);
    const items = Array.isArray(value)
      ? value.map((item) => `${inner}${lines(item, 0)}`)
      : Object.entries(value).map(([key, item]) => `${inner}${JSON.stringify(key)}: ${lines(item, depth - 1)}`);
    const [open, close] = Array.isArray(value) ? '[]' : '{}';
    return `${open}\n${items.join(',\n')}\n${'  '.repeat(LINES - depth)}${close}`;
  };
  return `${lines(golden, LINES)}\n`;
}

const LINES = 3;
