import { type Journal, type KnownJournal, MAX_OPERATIONS, type Operation } from '../../../../machines/journal.ts';
import type { OperationEntry, Visit } from '../../../../machines/messages.ts';
import type { Run } from '../../../../machines/run.ts';
import { activeVisitOf, isSuspended, journalOfVisit } from '../../../../machines/step/index.ts';
import type { WorkItemRow } from '../../../../store/port/work-items.ts';
import { actorOf } from '../../actor.ts';
import type { RuntimeContext } from '../../context.ts';
import type { Engine } from '../../engine/engine.ts';
import type { ExecutionLoader } from '../../engine/loading/execution-loader.ts';
import { RuntimeError } from '../../errors.ts';
import type { WakeupSignal } from '../../queries/wakeup-signal.ts';
import { visitOf } from '../../timers/timer-queue.ts';
import type { Caller } from '../../types/caller.ts';
import type { CancelSignal } from '../../types/cancel-signal.ts';
import type { CommitOperations, WorkJournal } from '../../types/work.ts';
import { findOpenItem, stale, workerOf } from './claimed-items.ts';
import { assertUsableSchemas, checkedOperations } from './given-operations.ts';

/** Characters of JSON of a journal in one reply. */
const PART_CHARS = 1024 * 1024;
/** The longest time a worker may wait. */
const MAX_WAIT_MS = 60_000;
/** How long a notification of another member may be late or lost. */
const POLL_MS = 1_000;
const NONE: ReadonlySet<number> = new Set();

export interface WorkJournalsOptions extends Pick<RuntimeContext, 'store' | 'clock' | 'slices' | 'stopping'> {
  readonly engine: Engine;
  readonly loader: ExecutionLoader;
  readonly commits: WakeupSignal;
}

/** The journals of durable functions that run in external workers. */
export class WorkJournals {
  readonly #options: WorkJournalsOptions;

  constructor(options: WorkJournalsOptions) {
    this.#options = options;
  }

  /** Commits operations, and returns what the worker does not know. */
  async commit(caller: Caller, id: string, given: CommitOperations): Promise<WorkJournal> {
    const { store, engine, slices } = this.#options;
    const item = await findOpenItem(store, caller, id, given);
    const entries = checkedOperations(given.operations);
    await assertUsableSchemas(entries, slices.slice(`${caller.tenantId} schemas`));
    const named = new Set(entries.flatMap((entry) => ('operation' in entry ? [entry.operation] : [])));
    const { parkedAfter } = given;
    if (entries.length === 0 && parkedAfter === undefined) return partOf(await this.#runOf(item), item, given, named);
    const parks = parkedAfter === undefined ? {} : { parkedAfter };
    const message = { type: 'operations', ...visitOf(item), entries, isHeldToDocument: true, ...parks } as const;
    const outcome = await engine.send(item.executionId, message, {
      actor: actorOf(caller, workerOf(item, given)),
      preconditions: { hold: { id, fence: given.leaseFence, node: item.nodeId } },
    });
    if (!('refused' in outcome)) return partOf(outcome.run, item, given, named);
    // Refused by the store.
    if (outcome.seq === undefined) throw stale();
    const run = await this.#runOf(item);
    // There is nothing to commit, and the function cannot be parked: it has yet to be given something.
    if (entries.length === 0) return partOf(run, item, given, named);
    throw new RuntimeError('conflict', outcome.reason ?? misfitOf(journalIn(run, item).journal, entries));
  }

  /** Waits until there is something that the worker does not know. */
  async changed(
    caller: Caller,
    id: string,
    given: CommitOperations,
    { untilMs, signal }: { readonly untilMs: number; readonly signal?: CancelSignal | undefined },
  ): Promise<WorkJournal> {
    const { store, clock, stopping, commits } = this.#options;
    const lastMs = Math.min(untilMs, clock.nowMs() + MAX_WAIT_MS);
    const isOver = (): boolean => stopping.aborted || signal?.aborted === true || clock.nowMs() >= lastMs;
    let before: ReturnType<typeof journalIn> | null = null;
    for (;;) {
      const item = await findOpenItem(store, caller, id, given);
      const next = commits.nextWakeup(item.executionId, signal);
      const trustMs = store.shared ? POLL_MS : Number.POSITIVE_INFINITY;
      const cancelTimeout = clock.after(Math.max(0, Math.min(lastMs - clock.nowMs(), trustMs)), next.stop);
      try {
        const run = await this.#runOf(item);
        const now = journalIn(run, item);
        const isKnown: boolean =
          before === null
            ? run.seq <= given.known.sequence
            : before.journal === now.journal && before.isPaused === now.isPaused && before.phase === now.phase;
        if (!isKnown || isOver()) return partOf(run, item, given, NONE);
        before = now;
        await next.woken;
      } finally {
        cancelTimeout();
        next.stop();
      }
    }
  }

  async #runOf({ executionId, id }: WorkItemRow): Promise<Run> {
    const execution = await this.#options.loader.current(executionId);
    if (execution === null)
      throw new RuntimeError('corrupt', `execution ${executionId} of work item ${id} not found in the store`);
    return execution.run;
  }
}

/** What a worker is told of the visit that it has claimed; undefined = it is not one to a durable function. */
export function journalOfClaim(run: Run, visit: Visit): WorkJournal | undefined {
  const found = journalOfVisit(run, visit);
  return found === null ? undefined : shownPart(run, found, { operations: 0, results: 0 }, NONE);
}

function partOf(run: Run, item: WorkItemRow, { known }: CommitOperations, named: ReadonlySet<number>): WorkJournal {
  return shownPart(run, journalIn(run, item), known, named);
}

function shownPart(
  run: Run,
  { journal, isParked }: { readonly journal: Journal; readonly isParked: boolean },
  known: KnownJournal,
  named: ReadonlySet<number>,
): WorkJournal {
  return Object.assign(journal.partAfter(known, named, PART_CHARS), {
    sequence: run.seq,
    isPaused: isSuspended(run),
    isParked,
  });
}

function journalIn(run: Run, item: WorkItemRow) {
  const visit = visitOf(item);
  const found = journalOfVisit(run, visit);
  const active = activeVisitOf(run, item.nodeId);
  if (active?.activation !== visit.activation || active.attempt !== visit.attempt) throw stale();
  if (found === null)
    throw new RuntimeError(
      'bad_request',
      `work item ${item.id} is not of a durable function: report its result with POST /work-items/${item.id}/complete`,
    );
  return Object.assign({}, found, { isPaused: isSuspended(run), phase: active.phase });
}

/** Why the operations do not fit the journal. */
function misfitOf(journal: Journal, entries: readonly OperationEntry[]): string {
  let next = journal.size + 1;
  for (const [index, entry] of entries.entries()) {
    const reason = reasonOf(journal, entry, next);
    if (reason !== null) return `operations[${index}]: ${reason}`;
    if (entry.type === 'begin' || entry.type === 'transition') next = Math.max(next, entry.operation + 1);
  }
  return 'the operations do not fit the journal';
}

function reasonOf(journal: Journal, entry: OperationEntry, next: number): string | null {
  if (entry.type === 'update') return journal.update(entry.update) === undefined ? `update ${entry.update} has not come` : null;
  const { operation: number } = entry;
  const known = journal.get(number);
  if (entry.type === 'begin' || entry.type === 'transition') {
    const [kind, name] = entry.type === 'begin' ? [entry.kind, entry.name] : ['transition', entry.event];
    if (known !== undefined)
      return known.kind === kind && known.name === name
        ? null
        : `operation ${number} was ${inWords(known)}, and cannot become ${inWords({ kind, name })}`;
    if (number > MAX_OPERATIONS) return `a durable function may have ${MAX_OPERATIONS.toLocaleString('en')} operations`;
    return number === next ? null : `operation ${number} cannot begin: the next one is ${next}`;
  }
  if (known === undefined) return number < next ? null : `operation ${number} has not begun`;
  if (entry.type === 'cancel') return null;
  if (known.status === 'waiting') return `the result of operation ${number}, ${inWords(known)}, does not come from a worker`;
  return entry.attempt > known.attempt ? `operation ${number} is at attempt ${known.attempt}, not ${entry.attempt}` : null;
}

function inWords({ kind, name }: Pick<Operation, 'name'> & { readonly kind: string }): string {
  return kind === name ? kind : `${kind} "${name}"`;
}
