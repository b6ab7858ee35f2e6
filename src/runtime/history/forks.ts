import { LogMismatch } from '../../../machines/fold.ts';
import { type Json, type JsonObject, patchBetween, patchState } from '../../../machines/json.ts';
import { type Run, TERMINAL } from '../../../machines/run.ts';
import { stateOf } from '../../../machines/step.ts';
import type { Artifact, EventRow } from '../../../store/rows.ts';
import type { Store } from '../../../store/store.ts';
import { birthOf } from '../birth.ts';
import type { Clock } from '../clock.ts';
import type { Outcome, Past } from '../envelope.ts';
import { DecisionWouldChange, DoesNotFit, type Mismatch, RuntimeError } from '../errors.ts';
import { forkLabels } from '../fork-labels.ts';
import { answerRow, earlierAnswer, repeatable } from '../idempotency.ts';
import type { Ids } from '../ids.ts';
import { eventOf, readLog, replayableOf, type TimedEvent } from '../log.ts';
import type { Loop } from '../loop.ts';
import { originOf } from '../origin.ts';
import type { Loaded, Programs } from '../programs.ts';
import type { Quotas } from '../quotas/quotas.ts';
import { replayedBytes, restoredFrom, spilledArtifact, spilledBytes } from '../spill.ts';
import { starterFrom } from '../starter.ts';
import type { Slice, TimeSlices } from '../time-slices.ts';
import type { Caller, Forked, ForkRequest } from '../types.ts';
import { copiedDecision, decisionsIn } from './decisions.ts';
import type { Found, Points } from './points.ts';
import { replayed } from './replayed.ts';

/** A fork's log is written in one transaction, and for its time nothing else is. */
const MAX_EVENTS = 50_000;
const MAX_BYTES = 64 * 1024 * 1024;

export interface ForksOptions {
  readonly store: Store;
  readonly programs: Programs;
  readonly loop: Loop;
  readonly points: Points;
  readonly slices: TimeSlices;
  readonly quotas: Quotas;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** The beginning of a log: as it is stored, and as it folds. */
interface Beginning {
  readonly rows: readonly EventRow[];
  readonly events: readonly TimedEvent[];
  readonly artifacts: readonly Artifact[];
}

/** Executions that go on from a point of another one. */
export class Forks {
  readonly #options: ForksOptions;

  constructor(options: ForksOptions) {
    this.#options = options;
  }

  async fork(caller: Caller, id: string, request: ForkRequest): Promise<Forked> {
    const { store, points, slices } = this.#options;
    const { tenantId } = caller;
    const { atSequence, statePatch = {}, workflowVersion, dryRun, keepDecisions, idempotencyKey } = request;
    const asked: Json = {
      at_sequence: atSequence,
      state_patch: statePatch,
      workflow_version: workflowVersion ?? null,
      ...(keepDecisions === true ? { keep_decisions: true } : {}),
    };
    const once =
      idempotencyKey === undefined || dryRun === true ? null : repeatable(tenantId, `fork:${id}`, idempotencyKey, asked);
    const earlier = once === null ? null : await earlierAnswer(store, once);
    if (earlier !== null) return replayOf(earlier);

    if (atSequence > MAX_EVENTS) {
      const exists = (await store.tenant(tenantId).execution(id)) !== null;
      throw exists ? tooMuch(`${MAX_EVENTS} events`) : new RuntimeError('not_found', `execution ${id}`);
    }
    const point = await points.find(tenantId, id, atSequence);
    const sequence = point.run.seq;
    if (TERMINAL.has(point.run.status))
      throw new RuntimeError(
        'conflict',
        `execution ${id} had ended at sequence ${sequence}: ${point.run.status}; nothing goes on from there`,
      );
    const beginning = await this.#beginning(tenantId, id, sequence);
    const loaded = workflowVersion === undefined ? point.loaded : await this.#version(tenantId, point, workflowVersion);
    const other = loaded.program.revision !== point.loaded.program.revision;
    const versioned = other ? inVersion(beginning, loaded.program.workflow.version) : beginning;
    const fit = other ? await fitted(loaded, id, point, versioned, slices.slice(tenantId)) : { run: point.run, mismatch: null };
    const before = stateOf(point.run);
    const { events, rows } = beginning;
    const log = { program: point.loaded.program, executionId: id, events, rows, history: point.history };
    const patch = patchBetween(before, patchState(before, statePatch));
    const decisions = await decisionsIn(store, log, patch, slices.slice(tenantId));
    if (dryRun === true) return { executionId: null, sequence, replayed: false, mismatch: fit.mismatch, decisions };
    if (fit.run === null) throw new DoesNotFit(`${misfit(loaded, sequence)}: ${fit.mismatch.problem}`, fit.mismatch);
    const changed = decisions.filter((decision) => decision.wouldChange);
    if (changed.length > 0 && keepDecisions !== true) throw new DecisionWouldChange(changed);

    const past: Past = {
      events: versioned.rows,
      artifacts: versioned.artifacts,
      run: fit.run,
      message: {
        type: 'fork',
        origin: { executionId: id, sequence },
        patch: statePatch,
        decisions: decisions.map(copiedDecision),
        ...(keepDecisions === true ? { keepDecisions } : {}),
      },
    };
    return { ...(await this.#begin(caller, point, loaded, past, once)), decisions };
  }

  async #begin(
    caller: Caller,
    { execution }: Found,
    loaded: Loaded,
    past: Past,
    once: ReturnType<typeof repeatable> | null,
  ): Promise<Forked> {
    const { store, loop, quotas, clock, ids } = this.#options;
    const { tenantId } = caller;
    const { executionId: origin, sequence } = past.message.origin;
    const nowMs = clock.nowMs();
    const id = ids.execution(nowMs);
    const labels = forkLabels(JSON.parse(execution.labels), origin, sequence);
    const startedBy = starterFrom(caller);
    const birth = birthOf({ id, tenantId, loaded, startedBy, input: past.run.input, nowMs, parent: null, labels, past });
    await quotas.admit(tenantId, id);
    let outcome: Outcome;
    try {
      outcome = await loop.begin(birth, {
        origin: originOf(caller),
        ...(once === null ? {} : { remember: () => answerRow(once, 201, { execution_id: id, sequence }, nowMs) }),
      });
    } finally {
      quotas.release(tenantId, id);
    }
    if (!('refused' in outcome)) return { executionId: id, sequence, replayed: false, mismatch: null, decisions: [] };
    if (outcome.refused === 'idempotency' && once !== null) {
      const answer = await earlierAnswer(store, once);
      if (answer !== null) return replayOf(answer);
    }
    throw new RuntimeError('conflict', `execution ${origin} could not be forked: ${outcome.refused}`);
  }

  async #version(tenantId: string, { execution }: Found, version: string): Promise<Loaded> {
    const { store, programs } = this.#options;
    const revision = await store.tenant(tenantId).revisionOf(execution.workflowId, version);
    if (revision === null) throw new RuntimeError('not_found', `workflow ${execution.workflowId} v${version}`);
    return programs.load(tenantId, revision);
  }

  /** Throws `bad_request` when it is too much to be copied. */
  async #beginning(tenantId: string, id: string, sequence: number): Promise<Beginning> {
    const { store } = this.#options;
    if (sequence > MAX_EVENTS) throw tooMuch(`${MAX_EVENTS} events`);
    const rows: EventRow[] = [];
    const events: TimedEvent[] = [];
    const artifacts: Artifact[] = [];
    let bytes = 0;
    for await (const row of readLog(store, id, { limit: sequence })) {
      const event = eventOf(row);
      const apart = spilledBytes(row.type, event.data);
      bytes += row.data.length + apart;
      if (bytes > MAX_BYTES) throw tooMuch(`${MAX_BYTES / 1024 / 1024} MiB`);
      const artifact = apart === 0 ? null : await spilledArtifact(store, tenantId, event.data);
      if (artifact !== null) artifacts.push(artifact);
      const isOutput = replayedBytes(row.type, event.data) > 0;
      events.push(artifact === null || !isOutput ? replayableOf(row) : { ...event, data: restoredFrom(artifact, event.data) });
      rows.push(row);
    }
    return { rows, events, artifacts };
  }
}

/** The same beginning, as an execution of another version would have logged it. */
function inVersion({ rows, events, artifacts }: Beginning, version: string): Beginning {
  const renamed = (data: JsonObject): JsonObject => ({ ...data, workflow_version: version });
  return {
    rows: rows.map((row, i) => (i === 0 ? { ...row, data: JSON.stringify(renamed(JSON.parse(row.data))) } : row)),
    events: events.map((event, i) => (i === 0 ? { ...event, data: renamed(event.data) } : event)),
    artifacts,
  };
}

/** Where the beginning leads to by another version, or why it is none of it. */
async function fitted(
  loaded: Loaded,
  id: string,
  { history }: Found,
  { events }: Beginning,
  slice: Slice,
): Promise<{ readonly run: Run; readonly mismatch: null } | { readonly run: null; readonly mismatch: Mismatch }> {
  const { program } = loaded;
  try {
    let run: Run | null = null;
    for await (const point of replayed(program, id, each(events), history, slice)) run = point.run;
    if (run === null) throw new LogMismatch(0, 'the log is empty');
    if (!TERMINAL.has(run.status)) return { run, mismatch: null };
    throw new LogMismatch(run.seq, `the execution ends there as ${run.status}`);
  } catch (error) {
    if (!(error instanceof LogMismatch)) throw error;
    const event = events[error.sequence - 1];
    const nodeId = event?.node_id ?? null;
    const unknown = nodeId !== null && program.statics.graph.indexOf(nodeId) === undefined;
    const problem = unknown
      ? `event ${error.sequence}: ${event?.type} of node ${nodeId}, which this version does not have`
      : error.message;
    return { run: null, mismatch: { sequence: error.sequence, type: event?.type ?? null, nodeId, problem } };
  }
}

async function* each<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

function misfit({ program }: Loaded, sequence: number): string {
  return `the log up to sequence ${sequence} is none of workflow ${program.workflow.workflow_id} v${program.workflow.version}`;
}

function tooMuch(bound: string): RuntimeError {
  return new RuntimeError('bad_request', `a fork copies the log up to its point, and that is more than ${bound}`);
}

function replayOf(answer: Json): Forked {
  const { execution_id, sequence } = answer as { readonly execution_id: string; readonly sequence: number };
  return { executionId: execution_id, sequence, replayed: true, mismatch: null, decisions: [] };
}
