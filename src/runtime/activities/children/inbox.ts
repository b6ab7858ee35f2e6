import { setImmediate } from 'node:timers/promises';
import type { JsonObject } from '../../../../machines/json.ts';
import type { Message } from '../../../../machines/messages.ts';
import type { Status } from '../../../../machines/run.ts';
import { continuedAs, stateOf, usageOf } from '../../../../machines/step/index.ts';
import { ChurnMap, ChurnSet } from '../../../../store/churn-map.ts';
import type { ExecutionRow, InboxRow } from '../../../../store/port/executions.ts';
import { Coalesced } from '../../coalesce.ts';
import type { RuntimeContext } from '../../context.ts';
import type { Deliver } from '../../engine/deliver.ts';
import type { MessageOutcome } from '../../engine/envelope.ts';
import { type CachedExecution, identityIn } from '../../engine/loading/cached-execution.ts';
import type { ExecutionLoader } from '../../engine/loading/execution-loader.ts';
import { RuntimeError } from '../../errors.ts';
import type { Placement } from '../../placement.ts';
import { retryForever } from '../../retry-forever.ts';
import { labelOfChain } from '../../segment-labels.ts';
import { DeadlineTimer } from '../../timers/deadline-timer.ts';
import { visitIn } from './visit-labels.ts';

const PAGE_SIZE = 200;
/** Messages delivered between two turns of the event loop. */
const MESSAGES_PER_TURN = 20;
/** A message that another runtime should deliver is delivered here after this time. */
const TAKE_OVER_AFTER_MS = 2_000;
/** A message that came before the one which it follows is delivered again after this time. */
const EARLY_RETRY_MS = 100;

export interface InboxOptions extends Pick<RuntimeContext, 'store' | 'clock' | 'events' | 'stopping' | 'onError'> {
  readonly loader: ExecutionLoader;
  readonly placement: Placement;
  readonly deliver: Deliver;
}

/** Delivers the durable messages between parents and children, after the commits that put them into the inbox. */
export class Inbox {
  readonly #options: InboxOptions;
  readonly #retryTimer: DeadlineTimer;
  /** The last message that was delivered, where ids are given in the order of commits. */
  #deliveredId = 0;
  readonly #delivering = new ChurnSet<number>();
  /** When messages that are left to other runtimes were first seen. */
  readonly #seenAtMs = new ChurnMap<number, number>();
  readonly #drains = new Coalesced(() => this.#drain());

  constructor(options: InboxOptions) {
    this.#options = options;
    const { clock, events, stopping } = options;
    this.#retryTimer = new DeadlineTimer(clock, () => this.drain());
    stopping.addEventListener('abort', () => this.#retryTimer.stop(), { once: true });
    events.on('inboxFilled', () => this.drain());
    events.on('resync', () => this.drain());
  }

  /** Delivers all messages in the inbox. */
  drain(): void {
    this.#drains.run().catch(this.#options.onError);
  }

  async #drain(): Promise<void> {
    const { store } = this.#options;
    const inbox = new Set<number>();
    let after = store.shared ? 0 : this.#deliveredId;
    for (;;) {
      const rows = await retryForever(this.#options, () => store.inbox({ after, limit: PAGE_SIZE }));
      const last = rows?.at(-1);
      if (rows === null || last === undefined) break;
      after = last.id;
      this.#deliveredId = after;
      for (const row of rows) inbox.add(row.id);
      for (let i = 0; i < rows.length; i += MESSAGES_PER_TURN) {
        await this.#deliverAll(rows.slice(i, i + MESSAGES_PER_TURN));
        // Each recipient may have to be loaded first: a cancel that is passed on to thousands must not block the event loop.
        await setImmediate();
      }
    }
    for (const id of this.#seenAtMs.keys()) if (!inbox.has(id)) this.#seenAtMs.delete(id);
  }

  /** Reads what they need at once, and puts them in order into the mailboxes, so that a parent gets the messages of its children in order. */
  async #deliverAll(rows: readonly InboxRow[]): Promise<void> {
    const { store, deliver } = this.#options;
    const wanted = rows.filter((row) => !this.#delivering.has(row.id) && (!store.shared || this.#shouldDeliver(row)));
    for (const { id } of wanted) this.#delivering.add(id);
    const read = await Promise.all(wanted.map((row) => retryForever(this.#options, () => this.#messageOf(row))));
    for (const [i, { id }] of wanted.entries()) {
      const found = read[i] ?? null;
      const delivered = found === null ? Promise.resolve(null) : deliver(found.to, found.message, { inboxId: id });
      void delivered.then((outcome) => this.#onDelivered(id, outcome));
    }
  }

  #onDelivered(id: number, outcome: MessageOutcome | null): void {
    this.#delivering.delete(id);
    if (outcome === null || !('refused' in outcome) || outcome.refused !== 'early') return;
    this.#deliveredId = Math.min(this.#deliveredId, id - 1);
    this.#retryTimer.scheduleAt(this.#options.clock.nowMs() + EARLY_RETRY_MS);
  }

  /**
   * On a shared database a smaller id may be committed later, so the whole inbox is read each time, by every runtime. A message
   * that another runtime should deliver is left to it, unless it is still there after a while.
   */
  #shouldDeliver({ id, toExecutionId }: InboxRow): boolean {
    const { clock, placement } = this.#options;
    const nowMs = clock.nowMs();
    const seenAtMs = this.#seenAtMs.get(id) ?? nowMs;
    if (placement.isResponsible(toExecutionId) || nowMs >= seenAtMs + TAKE_OVER_AFTER_MS) return true;
    this.#seenAtMs.set(id, seenAtMs);
    this.#retryTimer.scheduleAt(seenAtMs + TAKE_OVER_AFTER_MS);
    return false;
  }

  async #messageOf(row: InboxRow): Promise<{ readonly to: string; readonly message: Message }> {
    const stored = parseStored(row);
    if (stored.type === 'cancel') return { to: await this.#newestSegment(row.toExecutionId), message: stored };
    const { child, change } = await this.#changeOf(stored);
    const { labels, workflowId: childWorkflowId } = identityIn(child);
    const visit = visitIn(JSON.parse(labels) as JsonObject);
    const message = { type: 'child', ...visit, childId: child.id, childWorkflowId, change } as const;
    return { to: row.toExecutionId, message };
  }

  /** A child may continue in a new execution, and that one in another, faster than messages that cancel one of them arrive. */
  async #newestSegment(id: string): Promise<string> {
    const { store } = this.#options;
    const row = await store.execution(id);
    if (row === null || row.parentId === null || row.completedAtMs === null) return id;
    const chain = labelOfChain(JSON.parse(row.labels) as Readonly<Record<string, string>>, id);
    const { rows } = await store.tenant(row.tenantId).executions({ parentId: row.parentId, labels: [chain], from: id, limit: 1 });
    return rows[0]?.id ?? id;
  }

  /** A child that cannot be loaded counts as failed, so that its parent does not wait forever. */
  async #changeOf({
    childId,
    status,
  }: ChildStatus): Promise<{ readonly child: CachedExecution | ExecutionRow; readonly change: ChildChange }> {
    const { store, loader } = this.#options;
    try {
      const known = await loader.current(childId);
      // The reply to the commit that sent the message may not have arrived here.
      const child = known?.run.status === status ? known : await loader.stored(childId);
      if (child !== null) return { child, change: changeOf(status, child) };
    } catch (error) {
      if (!(error instanceof RuntimeError) || error.code !== 'corrupt') throw error;
      const child = await store.execution(childId);
      if (child !== null) return { child, change: { status: 'failed', error: error.message } };
    }
    throw new RuntimeError('corrupt', `child execution ${childId} not found in the store`);
  }
}

type ChildStatus = { readonly type: 'child_status'; readonly childId: string; readonly status: Status };
type ChildChange = (Message & { type: 'child' })['change'];

function parseStored({ id, message }: InboxRow): ChildStatus | { readonly type: 'cancel'; readonly reason: string } {
  try {
    return JSON.parse(message) as ReturnType<typeof parseStored>;
  } catch (cause) {
    throw new RuntimeError('corrupt', `message ${id} of the inbox is not valid JSON`, { cause });
  }
}

function changeOf(status: Status, child: CachedExecution): ChildChange {
  if (status === 'running' || status === 'paused') return { status };
  const usage = usageOf(child.run);
  const used = usage === undefined ? {} : { usage };
  if (status === 'completed') return { status, result: stateOf(child.run), ...used };
  const nextId = continuedAs(child.run);
  if (nextId !== undefined) return { status: 'continued', nextId, ...used };
  return { status: 'failed', error: child.error ?? `child execution ${child.id} ended as ${status}`, ...used };
}
