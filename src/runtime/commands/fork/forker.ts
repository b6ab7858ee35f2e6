import { type Json, patchBetween, patchState } from '../../../../machines/json.ts';
import { TERMINAL } from '../../../../machines/run.ts';
import { admittedByFork, stateOf } from '../../../../machines/step/index.ts';
import type { ExecutionStore } from '../../../../store/port/execution-store.ts';
import type { Clock } from '../../clock.ts';
import type { Engine } from '../../engine/engine.ts';
import type { CopiedHistory } from '../../engine/envelope.ts';
import { ignoredIn } from '../../engine/envelope.ts';
import { executionStart } from '../../engine/execution-start.ts';
import { identityIn } from '../../engine/loading/cached-execution.ts';
import { starterFrom } from '../../engine/loading/starter.ts';
import type { LoadedWorkflow, WorkflowCache } from '../../engine/loading/workflow-cache.ts';
import { DecisionWouldChange, ForkDoesNotReplay, type PastDecision, RuntimeError } from '../../errors.ts';
import { forkLabels } from '../../fork-labels.ts';
import type { ExecutionAtSequence, HistoryAtSequence } from '../../history/at-sequence.ts';
import type { Ids } from '../../ids.ts';
import type { Quotas } from '../../quotas/quotas.ts';
import type { TimeSlices } from '../../scheduling/time-slices.ts';
import type { Caller } from '../../types/caller.ts';
import type { ForkRequest, ForkResult } from '../../types/history.ts';
import { type IdempotentRequest, idempotentRequest, storedResponse, unlessRepeated } from '../idempotency.ts';
import { startOnce } from '../start-once.ts';
import { type CopiedLog, checkForkLength, copyLog, withWorkflowVersion } from './copied-log.ts';
import { copiedDecision, decisionsIn } from './decisions.ts';
import { replayInVersion, type VersionReplay } from './replay-in-version.ts';

export interface ForkerOptions {
  readonly store: ExecutionStore;
  readonly workflows: WorkflowCache;
  readonly engine: Engine;
  readonly history: HistoryAtSequence;
  readonly slices: TimeSlices;
  readonly quotas: Quotas;
  readonly clock: Clock;
  readonly ids: Ids;
}

/** What a fork continues with: a workflow version, and the log as that version would have written it. */
interface Target {
  readonly loaded: LoadedWorkflow;
  readonly log: CopiedLog;
  readonly replay: VersionReplay;
}

/** Starts executions that continue from an earlier sequence of another execution. */
export class Forker {
  readonly #options: ForkerOptions;

  constructor(options: ForkerOptions) {
    this.#options = options;
  }

  async fork(caller: Caller, id: string, request: ForkRequest): Promise<ForkResult> {
    const { tenantId } = caller;
    const { atSequence, workflowVersion, dryRun } = request;
    const idempotency = idempotencyOf(tenantId, id, request);
    // Before the replay, which takes longer than to read a response that is seldom there.
    const earlier = await storedResponse(this.#options.store, idempotency);
    if (earlier !== null) return repeatedResult(earlier);

    const origin = await this.#originAt(tenantId, id, atSequence);
    const sequence = origin.run.seq;
    const copied = await copyLog(this.#options.store, origin.execution, sequence);
    const target = await this.#targetOf(tenantId, id, origin, copied, workflowVersion);
    const decisions = await this.#decisionsOf(tenantId, id, origin, copied, target, request);
    if (dryRun === true) return { executionId: null, sequence, replayed: false, mismatch: target.replay.mismatch, decisions };

    const history = copiedHistory(id, sequence, target, decisions, request);
    return { ...(await this.#start(caller, origin, target.loaded, history, idempotency)), decisions };
  }

  /** The origin after the last step at or before the fork point. Throws `not_found`, `bad_request`, or `conflict` if it had ended there. */
  async #originAt(tenantId: string, id: string, atSequence: number): Promise<ExecutionAtSequence> {
    const { store, history } = this.#options;
    // Checked before the replay, but only for an execution that exists.
    if ((await store.tenant(tenantId).execution(id)) !== null) checkForkLength(atSequence);
    const origin = await history.executionAt(tenantId, id, atSequence);
    const { status, seq } = origin.run;
    if (TERMINAL.has(status))
      throw new RuntimeError(
        'conflict',
        `execution ${id} had ended at sequence ${seq} (${status}); fork from an earlier sequence`,
      );
    return origin;
  }

  /** The version to continue with. `replay.mismatch` says where the log does not replay with it. */
  async #targetOf(
    tenantId: string,
    id: string,
    origin: ExecutionAtSequence,
    copied: CopiedLog,
    version: string | undefined,
  ): Promise<Target> {
    const loaded = version === undefined ? origin.loaded : await this.#loadVersion(tenantId, origin, version);
    const { program } = loaded;
    if (origin.loaded.program.tables.dataRules !== null && program.tables.dataRules === null) {
      const message = `workflow version ${version} has no data policy, which protects the log of execution ${id}`;
      throw new RuntimeError('conflict', message);
    }
    if (program.revision === origin.loaded.program.revision)
      return { loaded, log: copied, replay: { run: origin.run, mismatch: null } };
    const log = withWorkflowVersion(copied, program.workflow.version);
    const slice = this.#options.slices.slice(tenantId);
    return { loaded, log, replay: await replayInVersion(program, id, log.events, log.history, slice) };
  }

  async #loadVersion(tenantId: string, { execution }: ExecutionAtSequence, version: string): Promise<LoadedWorkflow> {
    const { store, workflows } = this.#options;
    const { workflowId } = identityIn(execution);
    const revision = await store.tenant(tenantId).revisionOf(workflowId, version);
    if (revision === null) throw new RuntimeError('not_found', `workflow ${workflowId} v${version} not found`);
    return workflows.load(tenantId, revision);
  }

  /** The decisions in the copied log, with whether the state patch would have changed what the person decided on. */
  #decisionsOf(
    tenantId: string,
    id: string,
    { loaded, run }: ExecutionAtSequence,
    { events, rows, history }: CopiedLog,
    target: Target,
    { statePatch = {} }: ForkRequest,
  ): Promise<readonly PastDecision[]> {
    const { store, slices } = this.#options;
    const state = stateOf(run);
    const admitted = admittedByFork(target.loaded.program, statePatch);
    const patch = patchBetween(state, patchState(state, admitted));
    const log = { program: loaded.program, executionId: id, events, rows, history };
    return decisionsIn(store, log, patch, slices.slice(tenantId));
  }

  async #start(
    caller: Caller,
    { execution }: ExecutionAtSequence,
    loaded: LoadedWorkflow,
    history: CopiedHistory,
    idempotency: IdempotentRequest | null,
  ): Promise<ForkResult> {
    const { clock, ids } = this.#options;
    const { tenantId } = caller;
    const { executionId: originId, sequence } = history.message.origin;
    const nowMs = clock.nowMs();
    const id = ids.execution(nowMs);
    const start = executionStart({
      id,
      tenantId,
      loaded,
      startedBy: starterFrom(caller),
      input: history.run.input,
      nowMs,
      parent: null,
      labels: forkLabels(JSON.parse(identityIn(execution).labels), originId, sequence),
      copiedHistory: history,
    });
    const response = { execution_id: id, sequence };
    const outcome = await unlessRepeated(this.#options.store, idempotency, () =>
      startOnce(this.#options, caller, start, idempotency, response),
    );
    if ('earlier' in outcome) return repeatedResult(outcome.earlier);
    return { executionId: id, sequence, replayed: false, mismatch: null, decisions: [], ...ignoredIn(outcome) };
  }
}

/** Null without a key, and for a dry run. */
function idempotencyOf(
  tenantId: string,
  id: string,
  { atSequence, statePatch = {}, workflowVersion, dryRun, keepDecisions, idempotencyKey }: ForkRequest,
): IdempotentRequest | null {
  if (dryRun === true) return null;
  return idempotentRequest(tenantId, `fork:${id}`, idempotencyKey, () => ({
    at_sequence: atSequence,
    state_patch: statePatch,
    workflow_version: workflowVersion ?? null,
    ...(keepDecisions === true ? { keep_decisions: true } : {}),
  }));
}

/** Throws `ForkDoesNotReplay`, or `DecisionWouldChange` unless the request keeps the decisions. */
function copiedHistory(
  id: string,
  sequence: number,
  { loaded, log, replay }: Target,
  decisions: readonly PastDecision[],
  { statePatch = {}, keepDecisions }: ForkRequest,
): CopiedHistory {
  if (replay.run === null) {
    const { workflow_id, version } = loaded.program.workflow;
    const problem = `the log up to sequence ${sequence} does not replay with workflow ${workflow_id} v${version}`;
    throw new ForkDoesNotReplay(`${problem}: ${replay.mismatch.problem}`, replay.mismatch);
  }
  const changed = decisions.filter((decision) => decision.wouldChange);
  if (changed.length > 0 && keepDecisions !== true) throw new DecisionWouldChange(changed);
  return {
    events: log.rows,
    artifacts: log.artifacts,
    run: replay.run,
    message: {
      type: 'fork',
      origin: { executionId: id, sequence },
      patch: statePatch,
      decisions: decisions.map(copiedDecision),
      ...(keepDecisions === true ? { keepDecisions } : {}),
    },
  };
}

function repeatedResult(response: Json): ForkResult {
  const { execution_id, sequence } = response as { readonly execution_id: string; readonly sequence: number };
  return { executionId: execution_id, sequence, replayed: true, mismatch: null, decisions: [] };
}
