import { isObject, type JsonObject, patchBetween, patchState } from '../../../../machines/json.ts';
import type { CopiedDecision, Visit } from '../../../../machines/messages.ts';
import { runsChild } from '../../../../machines/nodes/index.ts';
import type { History, TimedEvent } from '../../../../machines/replay/index.ts';
import type { Run } from '../../../../machines/run.ts';
import { inputUnderPatch, stateOf } from '../../../../machines/step/index.ts';
import type { Program } from '../../../../machines/step/program.ts';
import type { ExecutionStore } from '../../../../store/port/execution-store.ts';
import type { EventRow } from '../../../../store/port/executions.ts';
import type { PastDecision } from '../../errors.ts';
import { eventOf, readLog } from '../../log/read-log.ts';
import { replayLog } from '../../log/replay-log.ts';
import type { Slice } from '../../scheduling/time-slices.ts';

/** The log of a fork's origin up to the fork point. */
export interface OriginLog {
  readonly program: Program;
  readonly executionId: string;
  readonly events: readonly TimedEvent[];
  /** The same events as stored. */
  readonly rows: readonly EventRow[];
  readonly history: History;
}

/** The decisions in a log. `patch`: the minimal merge patch that the fork applies to the state at its end. */
export async function decisionsIn(
  store: ExecutionStore,
  log: OriginLog,
  patch: JsonObject,
  slice: Slice,
): Promise<readonly PastDecision[]> {
  const approvals = log.rows.filter(({ type }) => type === 'approval_received');
  if (Object.keys(patch).length === 0) return approvals.map((row) => decisionOf(row, false, row.seq - 1));
  const impact = new DecisionImpact(log, patch);
  // Without decisions or children there is nothing to compare, so the replay is skipped.
  const relevant = log.events.some(({ type }) => type === 'approval_received' || type === 'child_workflow_started');
  if (relevant) await impact.replay(slice);
  const decided = approvals.map((row) => decisionOf(row, impact.affectedDecisions.has(row.seq), row.seq - 1));
  for (const { childId, sequence } of impact.affectedChildren)
    decided.push(...(await decisionsOfChild(store, childId, sequence - 1)));
  return decided.sort((a, b) => a.lastFree - b.lastFree);
}

/** A decision as the event `workflow_forked` records it. */
export function copiedDecision({ nodeId, sequence, userId, executionId, wouldChange }: PastDecision): CopiedDecision {
  return {
    node_id: nodeId,
    sequence,
    user_id: userId,
    ...(executionId === undefined ? {} : { execution_id: executionId }),
    ...(wouldChange ? { would_change: true } : {}),
  };
}

/**
 * Finds the decisions that were based on something the patch would have changed. An approval shows the state; a node held by policy shows its
 * input; and decisions in a child execution depend on the child's input.
 */
class DecisionImpact {
  readonly #log: OriginLog;
  readonly #patch: JsonObject;
  /** By node, or item of it: would the patch change what its pending decision shows, or the input of its child? */
  readonly #inputDiffers = new Map<string, boolean>();
  readonly #childInputDiffers = new Map<string, boolean>();
  /** Sequences of the `approval_received` events whose decision would have been shown something else. */
  readonly affectedDecisions = new Set<number>();
  /** Ended children whose input would have been different. `sequence`: of the event that reports their end. */
  readonly affectedChildren: { readonly childId: string; readonly sequence: number }[] = [];

  constructor(log: OriginLog, patch: JsonObject) {
    this.#log = log;
    this.#patch = patch;
  }

  async replay(slice: Slice): Promise<void> {
    const { program, executionId, events, history } = this.#log;
    let at = 0;
    for await (const { run } of replayLog(program, executionId, events, history, slice)) {
      for (; at < run.seq; at += 1) {
        const event = events[at];
        if (event !== undefined) this.#apply(event, run);
      }
    }
  }

  #apply({ type, node_id, sequence, data }: TimedEvent, run: Run): void {
    const node = node_id ?? '';
    const item = typeof data.item === 'number' ? data.item : undefined;
    const at = item === undefined ? node : `${node}\n${item}`;
    const childId = String(data.child_execution_id);
    switch (type) {
      case 'interrupt_raised': {
        const state = isObject(data.state_for_review) ? data.state_for_review : stateOf(run);
        this.#inputDiffers.set(node, changesState(this.#patch, state));
        break;
      }
      case 'tool_approval_required':
        this.#inputDiffers.set(at, this.#inputWouldDiffer({ node, item }, run));
        break;
      case 'node_started':
        if (runsChild(this.#log.program.tables.nodeOf(node).kind))
          this.#inputDiffers.set(at, this.#inputWouldDiffer({ node, item }, run));
        break;
      case 'child_workflow_started':
        this.#childInputDiffers.set(childId, this.#inputDiffers.get(at) === true);
        break;
      case 'child_workflow_completed':
      case 'child_workflow_failed':
        if (this.#childInputDiffers.get(childId) === true) this.affectedChildren.push({ childId, sequence });
        break;
      case 'approval_received':
        if (this.#inputDiffers.get(at) === true) this.affectedDecisions.add(sequence);
    }
  }

  #inputWouldDiffer(visit: Pick<Visit, 'node' | 'item'>, run: Run): boolean {
    const { program, executionId } = this.#log;
    return inputUnderPatch(program, run, visit, this.#patch, { executionId, vars: {} }) === 'other';
  }
}

function changesState(patch: JsonObject, state: JsonObject): boolean {
  return Object.keys(patchBetween(state, patchState(state, patch))).length > 0;
}

/** All decisions in a child execution and its descendants; all of them depend on its input. */
async function decisionsOfChild(store: ExecutionStore, executionId: string, lastFree: number): Promise<readonly PastDecision[]> {
  const decided: PastDecision[] = [];
  const unread = [executionId];
  for (let id = unread.pop(); id !== undefined; id = unread.pop()) {
    for await (const row of readLog(store, id, { type: 'child_workflow_started' }))
      unread.push(String(eventOf(row).data.child_execution_id));
    for await (const row of readLog(store, id, { type: 'approval_received' }))
      decided.push({ ...decisionOf(row, true, lastFree), executionId: id });
  }
  return decided;
}

function decisionOf(row: EventRow, wouldChange: boolean, lastFree: number): PastDecision {
  const { data } = eventOf(row);
  return {
    nodeId: row.nodeId ?? '',
    sequence: row.seq,
    decision: data.decision === 'rejected' ? 'rejected' : 'approved',
    userId: String(data.user_id),
    actorId: row.actorId,
    wouldChange,
    lastFree,
  };
}
