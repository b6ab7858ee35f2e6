import type { JsonObject } from '../../../machines/json.ts';
import type { WorkItemView } from '../../../src/runtime/types/work.ts';
import { CLIENT_PREFIX, itemText, type OnlineChecker } from '../check/online-checker.ts';
import type { Plan } from '../plan.ts';
import { type Clients, callerOf, type Reply } from './clients.ts';
import { randomStream } from './random-streams.ts';
import { behaviourOf, mayUse } from './tools.ts';

/** The key in the state that the result of a work item beside the workflow sets. */
export function detachedKey(item: string): string {
  return `detached ${item}`;
}

const QUEUES = ['tool', 'python_tool'];
const HEARTBEAT_MS = 10_000;

/** External workers: they claim and report work, lose it, report it too late or twice, or use a wrong fence. */
export class ExternalWorkers {
  readonly #plan: Plan;
  readonly #clients: Clients;
  readonly #checker: OnlineChecker;
  /** How often a claim was given. A database that is set back gives one again, under the same fence. */
  readonly #given = new Map<string, number>();
  faultsOver = false;

  constructor(plan: Plan, clients: Clients, checker: OnlineChecker) {
    this.#plan = plan;
    this.#clients = clients;
    this.#checker = checker;
  }

  start(): void {
    for (const id of this.#plan.workers) void this.#work(id);
  }

  /** Starts one more worker, which takes the remaining work. */
  startHelper(): void {
    void this.#work('helper');
  }

  async #work(worker: string): Promise<void> {
    for (let n = 1; ; n += 1) {
      const name = `${CLIENT_PREFIX}${worker} ${n}`;
      const random = randomStream(this.#plan.seed, name);
      const claim = {
        workerId: worker,
        queueTypes: QUEUES,
        maxItems: random.between(1, 2),
        waitMs: random.pick([0, 5_000, 15_000]),
      };
      const reply = await this.#clients.ask(random, name, (runtime) => runtime.claim(callerOf(name), claim));
      const items = reply.is === 'answer' ? reply.value : [];
      for (const item of items) {
        this.#checker.onClaimed(worker, item.id, item.leaseFence);
        void this.#perform(worker, item);
      }
      if (items.length === 0) await this.#clients.sleep(500, `${name} waits`);
    }
  }

  async #perform(worker: string, item: WorkItemView): Promise<void> {
    const { leaseFence: fence, nodeId: node, attempt } = item;
    const state = item.payload.state as JsonObject | undefined;
    const mark = String(state?.mark ?? '');
    const ofItem = itemText(item.item);
    const claim = `${CLIENT_PREFIX}${worker} ${item.executionId} ${node}${ofItem} ${attempt} ${item.id} ${fence}`;
    const given = (this.#given.get(claim) ?? 0) + 1;
    this.#given.set(claim, given);
    const name = given === 1 ? claim : `${claim} again ${given}`;
    const random = randomStream(this.#plan.seed, name);
    const { does, afterMs, output, usage } = behaviourOf(
      this.#plan.seed,
      this.faultsOver,
      worker,
      mark,
      node + ofItem,
      attempt,
      fence,
    );
    if (!this.faultsOver && random.chance(0.05)) return;
    const isLate = !this.faultsOver && random.chance(0.15);
    await (isLate
      ? this.#clients.sleep(random.between(25_000, 75_000), `${name} is late`)
      : this.#workWithHeartbeats(worker, item, afterMs, name));
    const usedFence = !this.faultsOver && random.chance(0.06) ? fence + random.pick([1, -1]) : fence;
    const used = { leaseFence: usedFence, ...(usage === null || !mayUse(item.labels) ? {} : { usage }) };
    // The patch of work beside the workflow is all that it leaves in the state.
    const patch = item.activation === 0 ? { statePatch: { [detachedKey(item.id)]: 1 } } : {};
    const settle = () =>
      does === 'succeed' || does === 'hang'
        ? this.#clients.ask(random, name, (runtime) =>
            runtime.complete(callerOf(name), item.id, { output: { ...output, item: item.id }, ...patch, ...used }),
          )
        : this.#clients.ask(random, name, (runtime) =>
            runtime.fail(callerOf(name), item.id, { error: 'no luck', retryable: does === 'fail', ...used }),
          );
    const what = `${does === 'succeed' || does === 'hang' ? 'node_completed' : 'node_failed'} ${node}${ofItem}`;
    if (!this.faultsOver && random.chance(0.1)) {
      // Two concurrent requests, of which at most one may count.
      const { setBacks } = this.#checker;
      const replies = await Promise.all([settle(), settle()]);
      if (this.#checker.setBacks !== setBacks) return;
      if (replies.filter(({ is }) => is === 'answer').length > 1)
        this.#checker.addViolation(`${name}: both of two results were accepted`);
      for (const reply of replies) this.#checkReply(name, item, usedFence, what, reply, true);
      return;
    }
    this.#checkReply(name, item, usedFence, what, await settle(), false);
  }

  /** Simulates the duration of the work, and renews the lease. */
  async #workWithHeartbeats(worker: string, item: WorkItemView, ms: number, name: string): Promise<void> {
    for (let leftMs = ms; leftMs > 0; leftMs -= HEARTBEAT_MS) {
      await this.#clients.sleep(Math.min(leftMs, HEARTBEAT_MS), `${name} works ${leftMs}`);
      if (leftMs <= HEARTBEAT_MS) return;
      const progress = { fraction: Math.min(1, leftMs / ms), text: leftMs === ms ? 'begun' : null };
      const lease = { workerId: worker, leaseFence: item.leaseFence, progress };
      await this.#clients.ask(randomStream(this.#plan.seed, name, leftMs), name, (runtime) =>
        runtime.heartbeat(callerOf(name), item.id, lease),
      );
    }
  }

  #checkReply(name: string, item: WorkItemView, fence: number, what: string, reply: Reply<unknown>, several: boolean): void {
    if (reply.is === 'answer') {
      this.#checker.onAcknowledged(name, item.executionId, what);
      if (item.activation === 0 && what.startsWith('node_completed'))
        this.#checker.onDetachedDone(item.executionId, detachedKey(item.id));
      // Fence 0 is not checked.
      if (fence !== 0) this.#checker.onSettled(name, item.id, fence);
    } else if (reply.is === 'unknown') this.#checker.onUnknown(name, what);
    else if (!several) this.#checker.onRefused(name, what);
  }
}
