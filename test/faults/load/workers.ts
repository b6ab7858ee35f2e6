import { setTimeout as after } from 'node:timers/promises';
import { isObject, type JsonObject } from '../../../machines/json.ts';
import type { History, Outcome } from '../history.ts';
import type { Client } from './client.ts';

/** A claimed work item, with the reports of its worker. */
export interface Claim {
  readonly item: string;
  readonly execution: string;
  readonly node: string;
  readonly fence: number;
  readonly worker: string;
  readonly reports: Report[];
}

export interface Report {
  readonly as: 'completed' | 'failed';
  /** Identifies the report; in the output or the error. */
  readonly nonce: string;
  readonly outcome: Outcome;
}

/** Claims work items and reports them: correctly, twice, late, under a wrong fence, or never. */
export class Worker {
  readonly claims: Claim[] = [];
  readonly #name: string;
  readonly #client: Client;
  readonly #history: History;
  #reports = 0;

  constructor(name: string, client: Client, history: History) {
    this.#name = name;
    this.#client = client;
    this.#history = history;
  }

  /** Works until the run ends. `wellBehaved`: whether it should behave. */
  async work(wellBehaved: () => boolean): Promise<void> {
    const { random, stopped } = this.#client;
    while (!stopped.aborted) {
      try {
        for (const claim of await this.#claim()) {
          // Never reported: the lease has to expire.
          if (!wellBehaved() && random.chance(0.01)) continue;
          await this.#report(claim, wellBehaved());
        }
      } catch (error) {
        if (!stopped.aborted) throw error;
      }
    }
  }

  async #claim(): Promise<readonly Claim[]> {
    const body = { worker_id: this.#name, queue_types: ['python_tool'], max_items: 3, wait_ms: 1_000 };
    const call = { method: 'POST', path: '/work-items/claim', body, waitMs: 1_000, what: 'claim', about: this.#name } as const;
    const reply = await this.#client.ask(call);
    if (reply.outcome === 'unknown') await this.#client.pause();
    const items = Array.isArray(reply.body.work_items) ? (reply.body.work_items as readonly JsonObject[]) : [];
    return items.filter(isObject).map((item) => {
      const claim: Claim = {
        item: String(item.id),
        execution: String(item.execution_id),
        node: String(item.node_id),
        fence: Number(item.lease_fence),
        worker: this.#name,
        reports: [],
      };
      this.claims.push(claim);
      return claim;
    });
  }

  async #report(claim: Claim, wellBehaved: boolean): Promise<void> {
    const { random } = this.#client;
    const misbehaves = (probability: number): boolean => !wellBehaved && random.chance(probability);
    if (misbehaves(0.2)) await after(random.between(0, 400));
    if (misbehaves(0.1)) await this.#post(claim, 'heartbeat', { worker_id: this.#name, lease_fence: claim.fence });
    if (misbehaves(0.1)) {
      const outcome = await this.#sendReport(claim, 'completed', claim.fence + 1);
      if (outcome === 'ok') this.#history.addViolation('a fence that was never given is refused', `${claim.item}`, [claim.item]);
    }
    await this.#sendReport(claim, misbehaves(0.15) ? 'failed' : 'completed', claim.fence);
    if (misbehaves(0.1)) await this.#sendReport(claim, 'completed', claim.fence);
  }

  /** Repeats a report until its outcome is known. Each report has its own nonce, so that the log shows which one counts. */
  async #sendReport(claim: Claim, as: Report['as'], fence: number): Promise<Outcome> {
    this.#reports += 1;
    const nonce = `${this.#name}-${this.#reports}`;
    const body = as === 'completed' ? { output: nonce, lease_fence: fence } : { error: nonce, lease_fence: fence };
    const action = as === 'completed' ? 'complete' : 'fail';
    let unknown = false;
    for (;;) {
      const outcome = await this.#post(claim, action, body).catch((error: unknown) => {
        claim.reports.push({ as, nonce, outcome: 'unknown' });
        throw error;
      });
      if (outcome === 'unknown') unknown = true;
      else {
        // If a reply was lost, a refusal may mean that the first request has settled the item.
        claim.reports.push({ as, nonce, outcome: outcome === 'refused' && unknown ? 'unknown' : outcome });
        return outcome;
      }
      await this.#client.pause().catch((error: unknown) => {
        claim.reports.push({ as, nonce, outcome: 'unknown' });
        throw error;
      });
    }
  }

  async #post({ item }: Claim, action: string, body: JsonObject): Promise<Outcome> {
    const call = { method: 'POST', path: `/work-items/${item}/${action}`, body, what: action, about: item } as const;
    return (await this.#client.ask(call)).outcome;
  }
}
