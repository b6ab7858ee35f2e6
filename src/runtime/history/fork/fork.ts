import { type Json, type JsonObject, patchBetween, patchState } from '../../../../machines/json.ts';
import { LogMismatch } from '../../../../machines/replay/index.ts';
import { type Run, TERMINAL } from '../../../../machines/run.ts';
import { stateOf } from '../../../../machines/step/index.ts';
import type { Artifact, EventRow } from '../../../../store/port/rows.ts';
import type { Store } from '../../../../store/port/store.ts';
import { actorOf } from '../../actor.ts';
import type { Clock } from '../../clock.ts';
import { idempotentRequest, responseRow, storedResponse } from '../../commands/idempotency.ts';
import type { Engine } from '../../engine/engine.ts';
import type { CopiedHistory, MessageOutcome } from '../../engine/envelope.ts';
import { executionStart } from '../../engine/execution-start.ts';
import { starterFrom } from '../../engine/loading/starter.ts';
import type { LoadedWorkflow, WorkflowCache } from '../../engine/loading/workflow-cache.ts';
import { DecisionWouldChange, ForkDoesNotReplay, type ForkMismatch, RuntimeError } from '../../errors.ts';
import type { Ids } from '../../ids.ts';
import { offloadedArtifact, offloadedBytes, offloadedReplayBytes, withPayload } from '../../log/offloaded-payloads.ts';
import { eventOf, readLog, replayableOf, type TimedEvent } from '../../log/read-log.ts';
import type { Quotas } from '../../quotas/quotas.ts';
import type { Slice, TimeSlices } from '../../scheduling/time-slices.ts';
import type { Caller } from '../../types/caller.ts';
import type { ForkRequest, ForkResult } from '../../types/history.ts';
import type { ExecutionAtSequence, HistoryAtSequence } from '../at-sequence.ts';
import { forkLabels } from '../fork-labels.ts';
import { replaySteps } from '../replay-log.ts';
import { copiedDecision, decisionsIn } from './decisions.ts';

/** A fork's log is written in one transaction, and for its time nothing else is. */
const MAX_EVENTS = 50_000;
const MAX_BYTES = 64 * 1024 * 1024;

export interface ForkerOptions {
  readonly store: Store;
  readonly programs: WorkflowCache;
  readonly loop: Engine;
  readonly history: HistoryAtSequence;
  readonly slices: TimeSlices;
  readonly quotas: Quotas;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** The beginning of a log: as it is stored, and as it folds. */
interface CopiedLog {
  readonly rows: readonly EventRow[];
  readonly events: readonly TimedEvent[];
  readonly artifacts: readonly Artifact[];
}

/** Executions that go on from a point of another one. */
export class Forker {
  readonly #options: ForkerOptions;

  constructor(options: ForkerOptions) {
    this.#options = options;
  }

  async fork(caller: Caller, id: string, request: ForkRequest): Promise<ForkResult> {
    const { store, history: points, slices } = this.#options;
    const { tenantId } = caller;
    const { atSequence, statePatch = {}, workflowVersion, dryRun, keepDecisions, idempotencyKey } = request;
    const fingerprint: Json = {
      at_sequence: atSequence,
      state_patch: statePatch,
      workflow_version: workflowVersion ?? null,
      ...(keepDecisions === true ? { keep_decisions: true } : {}),
    };
    const idempotency =
      idempotencyKey === undefined || dryRun === true
        ? null
        : idempotentRequest(tenantId, `fork:${id}`, idempotencyKey, fingerprint);
    const previous = idempotency === null ? null : await storedResponse(store, idempotency);
    if (previous !== null) return repeatedAnswer(previous);

    if (atSequence > MAX_EVENTS) {
      const exists = (await store.tenant(tenantId).execution(id)) !== null;
      throw exists ? tooLarge(`${MAX_EVENTS} events`) : new RuntimeError('not_found', `execution ${id}`);
    }
    const origin = await points.executionAt(tenantId, id, atSequence);
    const sequence = origin.run.seq;
    if (TERMINAL.has(origin.run.status))
      throw new RuntimeError(
        'conflict',
        `execution ${id} had ended at sequence ${sequence}: ${origin.run.status}; nothing goes on from there`,
      );
    const copied = await this.#copyLog(tenantId, id, sequence);
    const loaded = workflowVersion === undefined ? origin.loaded : await this.#loadVersion(tenantId, origin, workflowVersion);
    const isOtherRevision = loaded.program.revision !== origin.loaded.program.revision;
    const versioned = isOtherRevision ? withWorkflowVersion(copied, loaded.program.workflow.version) : copied;
    const replay = isOtherRevision
      ? await replayWith(loaded, id, origin, versioned, slices.slice(tenantId))
      : { run: origin.run, mismatch: null };
    const before = stateOf(origin.run);
    const { events, rows } = copied;
    const log = { program: origin.loaded.program, executionId: id, events, rows, history: origin.history };
    const patch = patchBetween(before, patchState(before, statePatch));
    const decisions = await decisionsIn(store, log, patch, slices.slice(tenantId));
    if (dryRun === true) return { executionId: null, sequence, replayed: false, mismatch: replay.mismatch, decisions };
    if (replay.run === null)
      throw new ForkDoesNotReplay(`${mismatchText(loaded, sequence)}: ${replay.mismatch.problem}`, replay.mismatch);
    const changed = decisions.filter((decision) => decision.wouldChange);
    if (changed.length > 0 && keepDecisions !== true) throw new DecisionWouldChange(changed);

    const past: CopiedHistory = {
      events: versioned.rows,
      artifacts: versioned.artifacts,
      run: replay.run,
      message: {
        type: 'fork',
        origin: { executionId: id, sequence },
        patch: statePatch,
        decisions: decisions.map(copiedDecision),
        ...(keepDecisions === true ? { keepDecisions } : {}),
      },
    };
    return { ...(await this.#start(caller, origin, loaded, past, idempotency)), decisions };
  }

  async #start(
    caller: Caller,
    { execution }: ExecutionAtSequence,
    loaded: LoadedWorkflow,
    past: CopiedHistory,
    idempotency: ReturnType<typeof idempotentRequest> | null,
  ): Promise<ForkResult> {
    const { store, loop, quotas, clock, ids } = this.#options;
    const { tenantId } = caller;
    const { executionId: origin, sequence } = past.message.origin;
    const nowMs = clock.nowMs();
    const id = ids.execution(nowMs);
    const labels = forkLabels(JSON.parse(execution.labels), origin, sequence);
    const startedBy = starterFrom(caller);
    const birth = executionStart({
      id,
      tenantId,
      loaded,
      startedBy,
      input: past.run.input,
      nowMs,
      parent: null,
      labels,
      copiedHistory: past,
    });
    await quotas.admit(tenantId, id);
    let outcome: MessageOutcome;
    try {
      outcome = await loop.startExecution(birth, {
        actor: actorOf(caller),
        ...(idempotency === null
          ? {}
          : { idempotencyRow: () => responseRow(idempotency, 201, { execution_id: id, sequence }, nowMs) }),
      });
    } finally {
      quotas.release(tenantId, id);
    }
    if (!('refused' in outcome)) return { executionId: id, sequence, replayed: false, mismatch: null, decisions: [] };
    if (outcome.refused === 'idempotency' && idempotency !== null) {
      const answer = await storedResponse(store, idempotency);
      if (answer !== null) return repeatedAnswer(answer);
    }
    throw new RuntimeError('conflict', `execution ${origin} could not be forked: ${outcome.refused}`);
  }

  async #loadVersion(tenantId: string, { execution }: ExecutionAtSequence, version: string): Promise<LoadedWorkflow> {
    const { store, programs } = this.#options;
    const revision = await store.tenant(tenantId).revisionOf(execution.workflowId, version);
    if (revision === null) throw new RuntimeError('not_found', `workflow ${execution.workflowId} v${version}`);
    return programs.load(tenantId, revision);
  }

  /** Throws `bad_request` when it is too much to be copied. */
  async #copyLog(tenantId: string, id: string, sequence: number): Promise<CopiedLog> {
    const { store } = this.#options;
    if (sequence > MAX_EVENTS) throw tooLarge(`${MAX_EVENTS} events`);
    const rows: EventRow[] = [];
    const events: TimedEvent[] = [];
    const artifacts: Artifact[] = [];
    let bytes = 0;
    for await (const row of readLog(store, id, { limit: sequence })) {
      const event = eventOf(row);
      const offloaded = offloadedBytes(row.type, event.data);
      bytes += row.data.length + offloaded;
      if (bytes > MAX_BYTES) throw tooLarge(`${MAX_BYTES / 1024 / 1024} MiB`);
      const artifact = offloaded === 0 ? null : await offloadedArtifact(store, tenantId, event.data);
      if (artifact !== null) artifacts.push(artifact);
      const isOutput = offloadedReplayBytes(row.type, event.data) > 0;
      events.push(artifact === null || !isOutput ? replayableOf(row) : { ...event, data: withPayload(artifact, event.data) });
      rows.push(row);
    }
    return { rows, events, artifacts };
  }
}

/** The same beginning, as an execution of another version would have logged it. */
function withWorkflowVersion({ rows, events, artifacts }: CopiedLog, version: string): CopiedLog {
  const renamed = (data: JsonObject): JsonObject => ({ ...data, workflow_version: version });
  return {
    rows: rows.map((row, i) => (i === 0 ? { ...row, data: JSON.stringify(renamed(JSON.parse(row.data))) } : row)),
    events: events.map((event, i) => (i === 0 ? { ...event, data: renamed(event.data) } : event)),
    artifacts,
  };
}

/** Where the beginning leads to by another version, or why it is none of it. */
async function replayWith(
  loaded: LoadedWorkflow,
  id: string,
  { history }: ExecutionAtSequence,
  { events }: CopiedLog,
  slice: Slice,
): Promise<{ readonly run: Run; readonly mismatch: null } | { readonly run: null; readonly mismatch: ForkMismatch }> {
  const { program } = loaded;
  try {
    let run: Run | null = null;
    for await (const point of replaySteps(program, id, toAsync(events), history, slice)) run = point.run;
    if (run === null) throw new LogMismatch(0, 'the log is empty');
    if (!TERMINAL.has(run.status)) return { run, mismatch: null };
    throw new LogMismatch(run.seq, `the execution ends there as ${run.status}`);
  } catch (error) {
    if (!(error instanceof LogMismatch)) throw error;
    const event = events[error.sequence - 1];
    const nodeId = event?.node_id ?? null;
    const unknown = nodeId !== null && program.tables.graph.indexOf(nodeId) === undefined;
    const problem = unknown
      ? `event ${error.sequence}: ${event?.type} of node ${nodeId}, which this version does not have`
      : error.message;
    return { run: null, mismatch: { sequence: error.sequence, type: event?.type ?? null, nodeId, problem } };
  }
}

async function* toAsync<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

function mismatchText({ program }: LoadedWorkflow, sequence: number): string {
  return `the log up to sequence ${sequence} is none of workflow ${program.workflow.workflow_id} v${program.workflow.version}`;
}

function tooLarge(bound: string): RuntimeError {
  return new RuntimeError('bad_request', `a fork copies the log up to its point, and that is more than ${bound}`);
}

function repeatedAnswer(answer: Json): ForkResult {
  const { execution_id, sequence } = answer as { readonly execution_id: string; readonly sequence: number };
  return { executionId: execution_id, sequence, replayed: true, mismatch: null, decisions: [] };
}
