import type { Program } from '../../../machines/compile.ts';
import type { History, TimedEvent } from '../../../machines/fold.ts';
import { isObject, type JsonObject, patchBetween, patchState } from '../../../machines/json.ts';
import type { CopiedDecision } from '../../../machines/messages.ts';
import type { Run } from '../../../machines/run.ts';
import { stateOf, wouldReceive } from '../../../machines/step.ts';
import type { EventRow } from '../../../store/rows.ts';
import type { Store } from '../../../store/store.ts';
import type { PastDecision } from '../errors.ts';
import { eventOf, readLog } from '../log.ts';
import type { Slice } from '../time-slices.ts';
import { replayed } from './replayed.ts';

/** The log of a fork's origin up to the fork point. */
export interface PastLog {
  readonly program: Program;
  readonly executionId: string;
  readonly events: readonly TimedEvent[];
  /** The same, as stored. */
  readonly rows: readonly EventRow[];
  readonly history: History;
}

/** The decisions of persons in a log. `patch`: what changes the state at its end, as the smallest merge patch. */
export async function decisionsIn(store: Store, log: PastLog, patch: JsonObject, slice: Slice): Promise<readonly PastDecision[]> {
  const own = log.rows.filter(({ type }) => type === 'approval_received');
  if (Object.keys(patch).length === 0) return own.map((row) => decisionOf(row, false, row.seq - 1));
  const shown = new Shown(log, patch);
  // Where there is nothing that somebody may have decided, nothing has to be folded.
  const relevant = log.events.some(({ type }) => type === 'approval_received' || type === 'child_workflow_started');
  if (relevant) await shown.read(slice);
  const decided = own.map((row) => decisionOf(row, shown.changed.has(row.seq), row.seq - 1));
  for (const { childId, sequence } of shown.children) decided.push(...(await decisionsOfChild(store, childId, sequence - 1)));
  return decided.sort((a, b) => a.lastFree - b.lastFree);
}

/** As the log of the fork keeps them. */
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
 * What people were shown, compared with what they would have been shown if the patch had been part of the state. An approval shows the
 * state; a held node is approved for what it is given, and a child execution begins with what it is given.
 */
class Shown {
  readonly #log: PastLog;
  readonly #patch: JsonObject;
  /** By node: would that which waits there for a decision, or was started there as a child, be something else? */
  readonly #differs = new Map<string, boolean>();
  readonly #started = new Map<string, boolean>();
  /** Decisions on something else, by the sequence of their `approval_received`. */
  readonly changed = new Set<number>();
  /** Children that ended, and would have begun with something else. `sequence`: of the event that tells of their end. */
  readonly children: { readonly childId: string; readonly sequence: number }[] = [];

  constructor(log: PastLog, patch: JsonObject) {
    this.#log = log;
    this.#patch = patch;
  }

  async read(slice: Slice): Promise<void> {
    const { program, executionId, events, history } = this.#log;
    let at = 0;
    for await (const { run } of replayed(program, executionId, each(events), history, slice)) {
      for (; at < run.seq; at += 1) {
        const event = events[at];
        if (event !== undefined) this.#apply(event, run);
      }
    }
  }

  #apply({ type, node_id, sequence, data }: TimedEvent, run: Run): void {
    const node = node_id ?? '';
    const childId = String(data.child_execution_id);
    switch (type) {
      case 'interrupt_raised': {
        const state = isObject(data.state_for_review) ? data.state_for_review : stateOf(run);
        this.#differs.set(node, changes(this.#patch, state));
        break;
      }
      case 'tool_approval_required':
        this.#differs.set(node, this.#isGivenOther(node, run));
        break;
      case 'node_started':
        if (this.#log.program.statics.nodeOf(node).kind.type === 'subgraph')
          this.#differs.set(node, this.#isGivenOther(node, run));
        break;
      case 'child_workflow_started':
        this.#started.set(childId, this.#differs.get(node) === true);
        break;
      case 'child_workflow_completed':
      case 'child_workflow_failed':
        if (this.#started.get(childId) === true) this.children.push({ childId, sequence });
        break;
      case 'approval_received':
        if (this.#differs.get(node) === true) this.changed.add(sequence);
    }
  }

  #isGivenOther(node: string, run: Run): boolean {
    const { program, executionId } = this.#log;
    return wouldReceive(program, run, node, this.#patch, { executionId, vars: {} }) === 'other';
  }
}

function changes(patch: JsonObject, state: JsonObject): boolean {
  return Object.keys(patchBetween(state, patchState(state, patch))).length > 0;
}

/** All decisions in a child execution and in its own children: they were made on what it began with. */
async function decisionsOfChild(store: Store, executionId: string, lastFree: number): Promise<readonly PastDecision[]> {
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

async function* each<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}
