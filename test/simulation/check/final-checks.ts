import { compile } from '../../../machines/compile/index.ts';
import { normalise } from '../../../machines/ir/normalise.ts';
import { canonicalJson } from '../../../machines/json.ts';
import { historyOf, LogReplay, type TimedEvent } from '../../../machines/replay/index.ts';
import { type Run, TERMINAL } from '../../../machines/run.ts';
import { approvalsOf, isErased, save, stateOf } from '../../../machines/step/index.ts';
import type { Program } from '../../../machines/step/program.ts';
import { readTail } from '../../../src/runtime/log/read-log.ts';
import { shownRun } from '../../../src/runtime/redaction/shown-run.ts';
import { replay } from '../../support/replay.ts';
import { stepsOf } from '../../support/replay-steps.ts';
import type { CoreStore } from '../../support/stores.ts';
import type { Damage } from '../environment/damage.ts';
import type { Operations } from '../environment/operations.ts';
import type { Plan } from '../plan.ts';
import { isOpen } from '../store/commits.ts';
import type { MemoryDatabase } from '../store/memory-database.ts';
import { memoryStore, type Transport } from '../store/memory-store.ts';
import { key, type StoredExecution } from '../store/tables.ts';
import { playModel, visitsIn } from './against-model.ts';
import { checkAttempts } from './attempts.ts';
import { checkDecisions } from './decisions.ts';
import { checkFunctions } from './functions.ts';
import { checkMaps } from './maps.ts';
import type { OnlineChecker, ToolCall } from './online-checker.ts';

const ENDED = new Set<string>(TERMINAL);
/** Without faults, no work takes longer than this. */
const STUCK_MS = 150_000;

export interface CheckedRun {
  readonly plan: Plan;
  readonly database: MemoryDatabase;
  readonly operations: Operations;
  readonly calls: readonly ToolCall[];
  readonly checker: OnlineChecker;
  readonly damage: Damage;
}

/** Checks, after the faults, that every live execution has changed recently, or one of its children has. */
export function checkProgress({ database, checker }: CheckedRun, nowMs: number): void {
  const live = [...database.tables.executions.values()].map(({ row }) => row).filter(({ status }) => !ENDED.has(status));
  const hasMoved = (id: string): boolean =>
    live.some((row) => (row.id === id && row.updatedAtMs > nowMs - STUCK_MS) || (row.parentId === id && hasMoved(row.id)));
  for (const { id, status } of live) if (!hasMoved(id)) checker.addViolation(`${id} is ${status}, and has made no progress`);
}

/** Checks the final state of a simulation. */
export async function checkFinalState(judged: CheckedRun): Promise<void> {
  const { database, checker, operations } = judged;
  const { executions, timers, items, inbox } = database.tables;
  for (const execution of executions.values()) {
    try {
      for (const problem of await findProblems(execution, judged)) checker.addViolation(`${execution.row.id}: ${problem}`);
    } catch (error) {
      checker.addViolation(`${execution.row.id} cannot be checked: ${error instanceof Error ? error.stack : String(error)}`);
    }
  }
  const isOver = (id: string): boolean => ENDED.has(executions.get(id)?.row.status ?? '');
  for (const timer of timers.values())
    if (isOver(timer.executionId)) checker.addViolation(`${timer.executionId} has ended, and has timer ${timer.id}`);
  for (const item of items.values())
    if (isOver(item.executionId) && isOpen(item))
      checker.addViolation(`${item.executionId} has ended, and work item ${item.id} is ${item.status}`);
  for (const message of inbox.values()) checker.addViolation(`a message to ${message.toExecutionId} is left: ${message.message}`);
  for (const { client, executionId, sequences, ended, setBacks } of operations.followed) {
    if (setBacks !== checker.setBacks) continue;
    const log = executions.get(executionId)?.events ?? [];
    if (!sequences.every((sequence, i) => sequence === i + 1)) checker.addViolation(`${client} was sent ${sequences.join(' ')}`);
    const last = log[sequences.length - 1];
    if (ended && last?.type.startsWith('workflow_') === false && !['strategy_limit_hit', 'segment_boundary'].includes(last.type))
      checker.addViolation(`${client} was sent events up to ${sequences.length}, a ${last.type}, and no more`);
  }
}

async function findProblems(execution: StoredExecution, judged: CheckedRun): Promise<readonly string[]> {
  const { row, checkpoints, events } = execution;
  const { database, calls, operations } = judged;
  const problems: string[] = [];
  if (events.some(({ seq }, i) => seq !== i + 1) || row.seq !== events.length)
    return [`its log has a gap: ${events.map(({ seq }) => seq).join(' ')}, and the head is at ${row.seq}`];
  const program = programOf(database, execution);
  const { workflow } = program;
  const { events: log } = await readTail(withErasedOriginals(database), row.tenantId, row.id, 0, row.seq);
  const env = { executionId: row.id, stepLimit: 0, runtimeId: '' };
  const isDamaged = judged.damage.hasDamagedSnapshot(row.id);
  let run: Run | null = null;
  const replayed = new LogReplay(program, env, historyOf(log));
  const ends: number[] = [];
  for (const event of log) replayed.push(event);
  for (let next = replayed.next(true); next !== null; next = replayed.next(true)) {
    run = next;
    ends.push(next.seq);
    const checkpoint = checkpoints.find(({ seq }) => seq === next.seq);
    if (checkpoint !== undefined && !isDamaged && !isErased(checkpoint.text) && save(next) !== checkpoint.text)
      problems.push(`its log does not replay to its checkpoint\n${save(next)}\n${checkpoint.text}`);
  }
  if (run === null) return ['its log is empty'];
  for (const name of judged.checker.detached.get(row.id) ?? [])
    if (stateOf(run)[name] !== 1) problems.push(`its state lacks ${name}, whose result was acknowledged`);
  if (run.status !== row.status || run.steps !== row.steps || run.localWork !== row.localWork)
    problems.push(`its log replays to ${run.status}, and its stored status is ${row.status}`);
  problems.push(
    ...checkAttempts(
      log,
      workflow,
      calls.filter(({ executionId }) => executionId === row.id),
      jumpedMs(judged.plan),
    ),
  );
  problems.push(...checkDecisions(log, workflow, stateOf(run)), ...checkMaps(log, workflow));
  problems.push(...checkFunctions(log, workflow, judged.plan.seed));
  problems.push(...compareApprovals(program, run, judged.database, row.id, log));
  problems.push(...compareWithModel(program, log, row.id, ends));
  const reads = operations.reads.filter(({ executionId }) => executionId === row.id);
  const isCorrupt = log.some(({ type, data }) => type === 'workflow_failed' && data.corrupt === true);
  if (!isDamaged && isCorrupt) problems.push('an internal error has ended it');
  if (!isCorrupt && judged.damage.unsteppable.has(row.id)) problems.push('an internal error has not ended it');
  if (reads.length > 0) {
    const steps = stepsOf(program, log, env);
    for (const { client, sequence, status, state } of reads) {
      const step = steps.find(({ end }) => end === sequence);
      if (step === undefined) {
        if (!isBeforeStart(log, sequence)) problems.push(`${client} read it at ${sequence}, in the middle of a step`);
      } else if (step.run.status !== status || shownState(program, step.run) !== state)
        problems.push(
          `${client} read it at ${sequence} as ${status} ${state}, and it was ${step.run.status} ${shownState(program, step.run)}`,
        );
    }
  }
  return problems;
}

/** The list of approvals must have those that are open, and for each decision one that was asked for before. */
function compareApprovals(
  program: Program,
  run: Run,
  database: MemoryDatabase,
  id: string,
  log: readonly TimedEvent[],
): readonly string[] {
  const rows = [...database.tables.approvals.values()].filter(({ executionId }) => executionId === id);
  const open = TERMINAL.has(run.status) ? [] : approvalsOf(program, run).map(({ sequence }) => sequence);
  const pending = rows.flatMap(({ seq, decidedSeq }) => (decidedSeq === null ? [seq] : []));
  const listed = [...pending].sort((a, b) => a - b).join(' ');
  const wanted = [...open].sort((a, b) => a - b).join(' ');
  const problems = listed === wanted ? [] : [`the list of approvals has ${listed || 'none'}, and open are ${wanted || 'none'}`];
  const forked = log.find(({ type }) => type === 'workflow_forked')?.sequence ?? 0;
  const decisions = log.filter(({ type, sequence }) => type === 'approval_received' && sequence > forked);
  for (const { sequence } of decisions)
    if (!rows.some(({ seq, decidedSeq }) => decidedSeq === sequence && seq < sequence))
      problems.push(`the list of approvals lacks the decision at ${sequence}`);
  return problems;
}

function shownState(program: Program, run: Run): string {
  return JSON.stringify(shownRun(program, run).state);
}

/** The store as if nothing had been erased. */
function withErasedOriginals(database: MemoryDatabase): CoreStore {
  const store = memoryStore(database, DIRECT);
  const { originals, erasedOriginals } = database.tables;
  return {
    ...store,
    erasures: {
      ...store.erasures,
      originals: async (id, from, to) =>
        [...originals.values(), ...erasedOriginals.values()].filter(
          ({ executionId, seq }) => executionId === id && seq >= from && seq <= to,
        ),
    },
  };
}

/** Work that has waited for a slot starts in its own step, which a replay cannot distinguish from the previous step at the same time. */
function isBeforeStart(log: readonly TimedEvent[], sequence: number): boolean {
  return log[sequence]?.type === 'node_started' && log[sequence]?.at_ms === log[sequence - 1]?.at_ms;
}

function compareWithModel(
  program: Program,
  log: readonly TimedEvent[],
  executionId: string,
  ends: readonly number[],
): readonly string[] {
  const played = playModel(log, program.workflow, ends);
  if (played === null) return [];
  const { model, events } = played;
  const prefix = log.slice(0, events);
  const run = replay(program, null, prefix, { executionId, stepLimit: 0, runtimeId: '' });
  const problems: string[] = [];
  const differ = (what: string, is: unknown, wanted: unknown): void => {
    if (canonicalJson(is as never) !== canonicalJson(wanted as never))
      problems.push(`at ${events} its ${what} is ${JSON.stringify(is)}, and by the model ${JSON.stringify(wanted)}`);
  };
  differ('status', run.status, model.status);
  differ('state', stateOf(run), model.state);
  differ('number of steps', run.steps, model.steps);
  const isLimit = model.status === 'limit_exceeded';
  const without = (visits: readonly string[]) => visits.filter((visit) => !(isLimit && visit.startsWith('cancelled'))).sort();
  differ('visits', without(visitsIn(prefix)), without(model.log));
  return problems;
}

const DIRECT: Transport = {
  call: async (_name, _write, execute) => execute(),
  watch: () => () => {},
  messages: null,
  closed: false,
  close: () => {},
};

/** Compiled programs by revision. */
const programs = new Map<string, Program>();

function programOf(database: MemoryDatabase, { row }: StoredExecution): Program {
  const known = programs.get(row.revision);
  if (known !== undefined) return known;
  if (programs.size > 100) programs.clear();
  const source = database.tables.revisions.get(key(row.tenantId, row.revision)) ?? 'null';
  const program = compile(normalise(JSON.parse(source)).workflow, row.revision);
  programs.set(row.revision, program);
  return program;
}

/** By how much clocks jump in all: so much may the times in a log differ. */
function jumpedMs({ faults }: Plan): number {
  return faults.reduce((sum, fault) => sum + (fault.kind === 'clock jump' ? Math.abs(fault.byMs) : 0), 0);
}
