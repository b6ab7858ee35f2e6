import type { Carried } from '../carried.ts';
import type { LogEvent } from '../events/index.ts';
import type { JsonObject } from '../json.ts';
import { DEFAULT_STEP_LIMIT } from '../limits.ts';
import { definitionOf } from '../nodes/index.ts';
import { areKnown } from '../program/rules.ts';
import type { Run, Segment, StepEnv, StepResult, TenantPolicy } from '../run.ts';
import { isSameJson } from '../same-json.ts';
import { FIELDS_FOR_READERS } from '../step/continuation.ts';
import { BUDGET_EXCEEDED, failUntilRetry, start, step } from '../step/index.ts';
import type { Program } from '../step/program.ts';
import { executionAt, type History } from './history.ts';
import { LogMismatch, type TimedEvent } from './log.ts';
import { failureEventIn, messageInLog, nextEvent } from './message-in-log.ts';
import { endsExecution, type RetryResets, resetAt } from './retry-reset.ts';
import { tenantVerdictIn } from './tenant-verdict.ts';
import { hasResetFailure, isUndoingEnd, passOver } from './undone-end.ts';

/** The rest of a step's environment is in the events: their times, and who does which node's work. */
export type ReplayEnv = Pick<StepEnv, 'executionId' | 'stepLimit' | 'runtimeId' | 'work'>;

/** Replays the step that begins at `at`; all its events must be in `log`. `length` is their number. Throws `LogMismatch`. */
export function replayStep(
  program: Program,
  run: Run | null,
  log: readonly TimedEvent[],
  at: number,
  env: ReplayEnv,
  history: History,
): { readonly run: Run; readonly length: number } {
  const first = log[at] as TimedEvent;
  const { resets } = history;
  if (run !== null && isUndoingEnd(run)) return { run: passOver(program, run, first, resets), length: 1 };
  const executionId = executionAt(history, first.sequence, env.executionId);
  const stepEnv = executionId === env.executionId ? env : { ...env, executionId };
  const {
    run: replayed,
    events: { length },
  } = replayVerified(program, run, log, at, stepEnv, resets);
  const end = log[at + length];
  if (end?.type === 'workflow_finalizing' && hasResetFailure(replayed))
    return { run: passOver(program, replayed, end, resets), length: length + 1 };
  if (end?.type !== 'workflow_failed' || !resets.ends.has(end.sequence)) return { run: replayed, length };
  return { run: { ...replayed, seq: end.sequence }, length: length + 1 };
}

/** A step whose conditions used the budget up is logged as the failure of the node, and replayed with nothing left of the budget. */
function replayVerified(
  program: Program,
  run: Run | null,
  log: readonly TimedEvent[],
  at: number,
  env: ReplayEnv,
  resets: RetryResets,
): StepResult {
  const { type, data } = log[at] as TimedEvent;
  if (type === 'node_failed' && data.error_class === BUDGET_EXCEEDED) {
    const exhausted = replayOnce(program, run, log, at, Object.assign({}, env, { work: 0 }), resets);
    if (isVerified(exhausted, log, at)) return exhausted;
  }
  const result = replayOnce(program, run, log, at, env, resets);
  verifyEvents(result, log, at);
  return result;
}

function isVerified(result: StepResult, log: readonly TimedEvent[], at: number): boolean {
  try {
    verifyEvents(result, log, at);
    return true;
  } catch (error) {
    if (error instanceof LogMismatch) return false;
    throw error;
  }
}

function verifyEvents({ events }: StepResult, log: readonly TimedEvent[], at: number): void {
  for (const [i, event] of events.entries()) verifyEvent(event, log[at + i], log[at]?.sequence ?? 0);
}

function replayOnce(
  program: Program,
  run: Run | null,
  log: readonly TimedEvent[],
  at: number,
  env: ReplayEnv,
  resets: RetryResets,
): StepResult {
  const first = log[at] as TimedEvent;
  const stepEnv = new LoggedStepEnv(program, env, log, at, first, resets);
  if (run === null) {
    if (first.type !== 'workflow_started' || first.sequence !== 1)
      throw new LogMismatch(first.sequence, 'a log begins with workflow_started');
    if (!areKnown(first.data)) throw new LogMismatch(first.sequence, 'a later release has written the log');
    return start(program, first.data.initial_input ?? null, stepEnv);
  }
  if (first.sequence !== run.seq + 1) throw new LogMismatch(first.sequence, `follows sequence ${run.seq}`);
  const reset = resetAt(log, at, resets);
  if (reset !== null) return failUntilRetry(program, run, { event: failureEventIn(reset.node, reset.events), ...reset }, stepEnv);
  const stepped = step(program, run, messageInLog(program, run, log, at), stepEnv);
  if ('refused' in stepped) throw new LogMismatch(first.sequence, `${first.type} is refused as ${stepped.refused}`);
  return stepped;
}

/** The environment of a step as its events have it. A class, because one is made for every step. */
class LoggedStepEnv implements StepEnv {
  readonly executionId: string;
  readonly nowMs: number;
  readonly stepLimit: number;
  readonly continues?: Segment;
  readonly startAtMs?: number;
  readonly vars: Readonly<Record<string, string>>;
  readonly work?: number;
  readonly recordInputs = false;
  readonly #program: Program;
  readonly #log: readonly TimedEvent[];
  readonly #at: number;
  readonly #first: TimedEvent;
  readonly #runtimeId: string;
  readonly #resets: RetryResets;

  constructor(program: Program, env: ReplayEnv, log: readonly TimedEvent[], at: number, first: TimedEvent, resets: RetryResets) {
    this.#program = program;
    const { step_limit, env: vars, segment_number, continued_from, start_at, carried } = first.data;
    this.executionId = env.executionId;
    this.nowMs = first.at_ms;
    this.stepLimit = Number(step_limit ?? DEFAULT_STEP_LIMIT);
    this.vars = (vars ?? {}) as Record<string, string>;
    if (typeof start_at === 'string') this.startAtMs = Date.parse(start_at);
    if (typeof segment_number === 'number')
      this.continues = {
        segment: segment_number,
        previousId: String(continued_from),
        ...(carried === undefined ? {} : { carried: carried as unknown as Carried }),
      };
    if (env.work !== undefined) this.work = env.work;
    this.#log = log;
    this.#at = at;
    this.#first = first;
    this.#runtimeId = env.runtimeId;
    this.#resets = resets;
  }

  get runtimeId(): string {
    const started = nextEvent(
      this.#log,
      this.#at,
      (event) => event.type === 'node_started' && typeof event.data.worker_id === 'string',
    );
    return String(started?.data.worker_id ?? this.#runtimeId);
  }

  isLocal(node: string): boolean {
    const { type, node_id } = this.#first;
    // A policy has stopped what a runtime with the tool took from the queue.
    const isStopped = node_id === node && (type === 'policy_violation' || type === 'tool_approval_required');
    return isStopped || this.#scheduled(node)?.data.in_process === true;
  }

  startsAtOnce(node: string, item?: number): boolean {
    const { sequence, at_ms } = this.#scheduled(node, item) ?? this.#first;
    const next = this.#log[this.#at + sequence - this.#first.sequence + 1];
    return next?.type === 'node_started' && next.node_id === node && next.data.item === item && next.at_ms === at_ms;
  }

  get tenantPolicy(): TenantPolicy {
    return { verdict: (node, _subject, _narrower, item) => tenantVerdictIn(this.#log, this.#at, node, this.#judges(node), item) };
  }

  #judges(node: string): boolean {
    const { kind } = this.#program.tables.nodeOf(node);
    return definitionOf(kind).behaviour(kind) === 'judge';
  }

  resetWith(sequence: number): { readonly endsExecution: boolean } | null {
    if (!this.#resets.failures.has(sequence)) return null;
    return { endsExecution: endsExecution(this.#log, this.#at + sequence - this.#first.sequence, this.#resets) };
  }

  /** `item`: absent = the first of the node's items, if it has any. */
  #scheduled(node: string, item?: number): TimedEvent | undefined {
    const isOf = (data: JsonObject): boolean => item === undefined || data.item === item;
    return nextEvent(
      this.#log,
      this.#at,
      ({ type, node_id, data }) => type === 'node_scheduled' && node_id === node && isOf(data),
    );
  }
}

function verifyEvent(replayed: LogEvent, logged: TimedEvent | undefined, from: number): void {
  if (logged === undefined) throw new LogMismatch(from, `the log ends before ${nameOf(replayed)}`);
  if (replayed.sequence !== logged.sequence || replayed.type !== logged.type || replayed.node_id !== logged.node_id)
    throw new LogMismatch(
      logged.sequence,
      `history is not deterministic: the log has ${nameOf(logged)}, the replay gives ${nameOf(replayed)}`,
    );
  if (isSameData(replayed.data, logged.data)) return;
  const isCompared = (field: string): boolean =>
    !FIELDS_FOR_READERS.has(field) && (!OPTIONAL.has(field) || Object.hasOwn(logged.data, field));
  const expected = only(logged.data, isCompared);
  const actual = only(replayed.data, isCompared);
  if (JSON.stringify(actual) === JSON.stringify(expected)) return;
  const fields = differing(actual, expected).join(', ');
  throw new LogMismatch(
    logged.sequence,
    `history is not deterministic: the log has ${nameOf(logged)}, the replay gives it with other data (${fields})`,
  );
}

/** Fields that are compared only if the log has them: those that are offloaded are left out. */
const OPTIONAL: ReadonlySet<string> = new Set(['state_for_review', 'final_state']);

/** Are all compared fields the same, in the same order? False if that is not certain. */
function isSameData(replayed: JsonObject, logged: JsonObject): boolean {
  const keys = Object.keys(logged);
  let at = 0;
  for (const field in replayed) {
    if (FIELDS_FOR_READERS.has(field)) continue;
    while (FIELDS_FOR_READERS.has(keys[at] as string)) at += 1;
    if (field !== keys[at] || !isSameJson(replayed[field], logged[field])) return false;
    at += 1;
  }
  while (FIELDS_FOR_READERS.has(keys[at] as string)) at += 1;
  return at === keys.length;
}

/** The data without what is not compared; the same object if everything is. */
function only(data: JsonObject, isCompared: (field: string) => boolean): JsonObject {
  for (const field in data)
    if (!isCompared(field)) return Object.fromEntries(Object.entries(data).filter(([key]) => isCompared(key)));
  return data;
}

function nameOf({ type, node_id }: LogEvent): string {
  return node_id === null ? type : `${type} of node ${node_id}`;
}

function differing(a: JsonObject, b: JsonObject): readonly string[] {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].filter((key) => JSON.stringify(a[key]) !== JSON.stringify(b[key]));
}
