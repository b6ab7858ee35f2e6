import type { JsonObject } from '../../machines/json.ts';
import type { WorkItem } from '../../src/api/schemas/work-items.ts';
import { ApiError, type JamjetClient } from '../../src/client.ts';
import { ir, python, tool } from '../support/ir.ts';
import type { Random } from '../support/random.ts';

const PATIENT: JsonObject = {
  max_attempts: 1_000,
  backoff: 'fixed',
  initial_delay: 0,
  max_delay: 0,
  jitter: false,
  retryable_on: [],
};
const retried: JsonObject = { node: { retry_policy: 'patient' } };

/** Three steps, one of them by an external worker, with a decision and a payment between them. The other two take `stepMs` each. */
export const orderWorkflow = (log: string, stepMs = 5): JsonObject =>
  ir(
    'order',
    {
      reserve: tool('noted', { ...retried, input_mapping: { log, step: 'reserve', ms: stepMs, hangs: 'state.stuck' } }),
      review: { type: 'human_approval', description: 'Accept the order?' },
      charge: python('charge', { ...retried, output_key: 'receipt' }),
      paid: { type: 'wait', event: 'paid' },
      ship: tool('noted', { ...retried, input_mapping: { log, step: 'ship', ms: stepMs } }),
    },
    [
      ['reserve', 'review'],
      ['review', 'charge'],
      ['charge', 'paid'],
      ['paid', 'ship'],
      ['ship', 'end'],
    ],
    { retry_policies: { patient: PATIENT } },
  );

/** What one customer knows: only what the server has acknowledged. */
export class Order {
  readonly key: string;
  /** Pays before it is asked to. */
  readonly eager: boolean;
  /** The first attempt at its first step ends with the server alone. */
  readonly stuck: boolean;
  id: string | null = null;
  approvals = 0;
  done = false;
  #paid = false;

  constructor(key: string, eager: boolean, stuck = false) {
    this.key = key;
    this.eager = eager;
    this.stuck = stuck;
  }

  /** Pushes the order on until it is done; rejects with `Unreachable` when the server dies meanwhile. Repeating is safe. */
  async pursue(client: JamjetClient): Promise<void> {
    const request = { workflow_id: 'order', input: { order: this.key, stuck: this.stuck }, labels: { order: this.key } };
    const { execution_id } = await client.start(request, { idempotencyKey: `start-${this.key}` });
    if (this.id !== null && this.id !== execution_id)
      throw new Error(`order ${this.key} was ${this.id}, now it is ${execution_id}`);
    this.id = execution_id;
    if (this.eager) await this.#pay(client, execution_id);
    for (;;) {
      const { status } = await client.execution(execution_id, { waitMs: 5_000 });
      if (status === 'paused') await this.#answer(client, execution_id);
      else if (status !== 'running') break;
    }
    this.done = true;
  }

  async #answer(client: JamjetClient, id: string): Promise<void> {
    const { pending } = await client.approvals(id);
    if (pending.length === 0) return this.#pay(client, id);
    try {
      await client.approve(id, { decision: 'approved', user_id: this.key });
      this.approvals += 1;
    } catch (error) {
      // Taken before, but the answer was lost with the server.
      if (!(error instanceof ApiError) || error.status !== 409) throw error;
    }
  }

  async #pay(client: JamjetClient, id: string): Promise<void> {
    if (this.#paid) return;
    await client.sendEvent(id, { key: 'paid', payload: { amount: 30, payer: this.key } }, { idempotencyKey: `pay-${this.key}` });
    this.#paid = true;
  }
}

/**
 * Charges whatever it can claim, clumsily at times. What it has in its hands it keeps when the server dies, and settles later.
 * Remembers the receipts that were acknowledged.
 */
export class Cashier {
  readonly receipts = new Map<string, string>();
  readonly #random: Random;
  readonly #name: string;
  readonly #waitMs: number;
  #inHand: readonly WorkItem[] = [];
  #issued = 0;

  constructor(random: Random, name = 'cashier', waitMs = 200) {
    this.#random = random;
    this.#name = name;
    this.#waitMs = waitMs;
  }

  /** Works until `closed` says so; rejects with `Unreachable` when the server dies. */
  async work(client: JamjetClient, closed: () => boolean): Promise<void> {
    while (!closed()) {
      for (const item of this.#inHand) {
        await this.#settle(client, item);
        this.#inHand = this.#inHand.filter((other) => other !== item);
      }
      const claim = { worker_id: this.#name, queue_types: ['python_tool'], max_items: 4, wait_ms: this.#waitMs };
      this.#inHand = (await client.claimWork(claim)).work_items ?? [];
    }
  }

  async #settle(client: JamjetClient, { id, execution_id, lease_fence }: WorkItem): Promise<void> {
    if (this.#random.chance(0.1)) {
      await accepted(client.failWork(id, { error: 'the till is jammed', lease_fence }));
      return;
    }
    this.#issued += 1;
    const receipt = `${this.#name}-${this.#issued}`;
    if (!(await accepted(client.completeWork(id, { output: receipt, lease_fence })))) return;
    if (this.receipts.has(execution_id)) throw new Error(`${execution_id} was charged twice`);
    this.receipts.set(execution_id, receipt);
    const again = this.#random.chance(0.2) && (await accepted(client.completeWork(id, { output: 'twice', lease_fence })));
    if (again) throw new Error(`work item ${id} was settled twice`);
  }
}

/** False when it was settled before: the answer to that was lost with the server. */
function accepted(settlement: Promise<unknown>): Promise<boolean> {
  return settlement.then(
    () => true,
    (error: unknown) => {
      if (error instanceof ApiError && error.status === 409) return false;
      throw error;
    },
  );
}
