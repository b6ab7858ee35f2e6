import type { Connections } from './connections.ts';
import { controlPayload } from './notify/payloads.ts';
import { NOTIFY_ONE, TAKE_LEASE } from './queries/leases.ts';

/** Named leases, which expire unless they are renewed. */
export class Leases {
  readonly #connections: Connections;
  /** Identifies this process in its notifications. */
  readonly #self: string;

  constructor(connections: Connections, self: string) {
    this.#connections = connections;
    this.#self = self;
  }

  async take(name: string, holder: string, nowMs: number, ttlMs: number): Promise<boolean> {
    const taken = await this.#connections.query(TAKE_LEASE, [name, holder, nowMs, nowMs + ttlMs]);
    const returned = taken.length === 1 && ttlMs === 0;
    if (returned)
      await this.#connections.query(NOTIFY_ONE, [controlPayload(this.#self, { tenantId: '', type: 'lease_returned' })]);
    return taken.length === 1;
  }
}
