import type { AgentDirectory, AgentOutcomes, RegisteredAgent } from '../../../src/executors/a2a/directory.ts';
import type { Incarnation } from './incarnation.ts';
import { randomStream } from './random-streams.ts';
import type { Scheduler } from './scheduler.ts';

const SLOWEST_MS = 4_000;

/** Agents between which coordinators choose: by what their calls were like, which differs each time it is asked for. */
export class SimulatedAgents {
  readonly #seed: number;
  readonly #scheduler: Scheduler;
  #requests = 0;
  faultsOver = false;

  constructor(seed: number, scheduler: Scheduler) {
    this.#seed = seed;
    this.#scheduler = scheduler;
  }

  of(incarnation: Incarnation): AgentDirectory {
    return {
      find: async (_tenantId, id) => AGENTS.find((agent) => agent.id === id) ?? null,
      search: () => this.#reply(incarnation, 'search', () => AGENTS),
      outcomes: (_tenantId, uris) => this.#reply(incarnation, 'outcomes', (n) => this.#outcomes(uris, n)),
    };
  }

  #outcomes(uris: readonly string[], request: number): ReadonlyMap<string, AgentOutcomes> {
    const random = randomStream(this.#seed, 'outcomes', request);
    return new Map(uris.map((uri) => [uri, { calls: 20, failures: random.between(0, 20), meanMs: random.between(10, 20_000) }]));
  }

  /** After a while, or never if the process dies; sometimes the directory fails. */
  #reply<T>(incarnation: Incarnation, what: string, answer: (request: number) => T): Promise<T> {
    const request = ++this.#requests;
    const random = randomStream(this.#seed, 'agents', request);
    const afterMs = this.faultsOver || random.chance(0.5) ? 0 : random.between(0, SLOWEST_MS);
    return new Promise((resolve, reject) => {
      this.#scheduler.schedule(afterMs, incarnation, `${incarnation.id} ${what} of agents ${request}`, () => {
        if (!this.faultsOver && random.chance(0.1)) reject(new Error('the directory failed'));
        else resolve(answer(request));
      });
    });
  }
}

const AGENTS: readonly RegisteredAgent[] = ['a', 'b', 'c'].map((id) => ({
  id,
  name: id,
  uri: `http://agents/${id}`,
  status: 'active',
  card: {
    name: id,
    description: id,
    uri: `http://agents/${id}`,
    capabilities: { skills: [{ name: 'work', description: 'works' }] },
  },
}));
