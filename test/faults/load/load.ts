import { setTimeout as after } from 'node:timers/promises';
import { isObject, type JsonObject } from '../../../machines/json.ts';
import { Random } from '../../support/random.ts';
import type { Member } from '../cluster/member.ts';
import type { History } from '../history.ts';
import { Client } from './client.ts';
import type { ExternalServer } from './external-server.ts';
import { SCENARIOS } from './scenarios.ts';
import { StreamFollower } from './stream-follower.ts';
import { TrackedExecution } from './tracked-execution.ts';
import { Worker } from './workers.ts';
import { workflows } from './workflows.ts';

const CLIENTS = 24;
const WORKERS = 4;
const STREAMS = 2;
/** Share of executions that are followed by a stream. */
const FOLLOWED_SHARE = 0.2;

/** The load on the servers: clients, workers, stream followers, and the receiver of a webhook. */
export class Load {
  readonly executions: TrackedExecution[] = [];
  readonly workers: readonly Worker[];
  /** Streams of the whole tenant. */
  readonly streams: readonly StreamFollower[];
  /** Streams of one execution, by its id. */
  readonly followers = new Map<string, StreamFollower>();
  readonly external: ExternalServer;
  readonly #members: readonly Member[];
  readonly #seed: number;
  readonly #history: History;
  readonly #stopped: AbortSignal;
  readonly #background: Promise<void>[] = [];
  #wellBehaved = false;

  constructor(members: readonly Member[], external: ExternalServer, seed: number, history: History, stopped: AbortSignal) {
    this.#members = members;
    this.external = external;
    this.#seed = seed;
    this.#history = history;
    this.#stopped = stopped;
    this.workers = Array.from(
      { length: WORKERS },
      (_, i) => new Worker(`worker-${i}`, this.client(`worker-${i}`, 100 + i), history),
    );
    this.streams = Array.from(
      { length: STREAMS },
      (_, i) => new StreamFollower(`stream-${i}`, '/events/stream', this.client(`stream-${i}`, 200 + i), history),
    );
  }

  /** Registers workflows and the webhook; starts streams and workers before the first client. */
  async start(): Promise<void> {
    const client = this.client('operator', 300);
    for (const document of workflows(this.external.url)) await register(client, document);
    const body = { url: `${this.external.url}/hook` };
    const reply = await client.askUntilKnown({ method: 'POST', path: '/webhooks', body, what: 'webhook', about: 'webhook' });
    this.external.secret = String(reply.body.secret);
    for (const stream of this.streams) {
      await new Promise<void>((began) => this.#background.push(stream.follow(began)));
    }
    for (const worker of this.workers) this.#background.push(worker.work(() => this.#wellBehaved));
  }

  /** Starts executions until the signal aborts, and runs each of them to its end. */
  async runClients(stopStarting: AbortSignal): Promise<void> {
    await Promise.all(Array.from({ length: CLIENTS }, (_, i) => this.#runClient(i, stopStarting)));
  }

  /** Finds executions by their label that were started without a reply, and cancels them. */
  async cancelUnknownStarts(): Promise<void> {
    const client = this.client('sweeper', 2);
    for (const tracked of this.executions.filter(({ id }) => id === null)) {
      const path = `/executions?label=${encodeURIComponent(`key:${tracked.key}`)}`;
      const { body } = await client.askUntilKnown({ method: 'GET', path, what: 'find', about: tracked.key });
      const [found] = Array.isArray(body.executions) ? body.executions.filter(isObject) : [];
      if (found === undefined) continue;
      tracked.id = String(found.id);
      await tracked.cancel(client, `${tracked.key}-swept`);
    }
  }

  /** Workers and the external server behave from now on. */
  stopMisbehaving(): void {
    this.#wellBehaved = true;
    this.external.acceptsEverything = true;
  }

  /** Stops the streams, and waits for the background tasks. */
  async end(): Promise<void> {
    for (const follower of [...this.streams, ...this.followers.values()]) follower.stop();
    await Promise.all(this.#background);
  }

  async #runClient(index: number, stopStarting: AbortSignal): Promise<void> {
    const client = this.client(`customer-${index}`, 400 + index);
    const { random } = client;
    const all = SCENARIOS.flatMap((scenario) => Array.from({ length: scenario.weight }, () => scenario));
    for (let n = 0; !stopStarting.aborted && !this.#stopped.aborted; n += 1) {
      const { workflow, play } = random.pick(all);
      const tracked = new TrackedExecution(workflow, `${workflow}-${index}-${n}`, this.#history);
      this.executions.push(tracked);
      const follows = random.chance(FOLLOWED_SHARE);
      const played = play(tracked, client).then(
        () => {
          tracked.finished = true;
        },
        (error: unknown) => {
          if (!this.#stopped.aborted) throw error;
        },
      );
      if (follows) this.#background.push(this.#follow(tracked, client, played));
      await played;
      await after(random.between(0, 100));
    }
  }

  async #follow(tracked: TrackedExecution, client: Client, played: Promise<void>): Promise<void> {
    let isPlayed = false;
    void played.finally(() => {
      isPlayed = true;
    });
    while (tracked.id === null && !isPlayed) await after(20);
    const { id } = tracked;
    if (id === null) return;
    const follower = new StreamFollower(`follower of ${id}`, `/executions/${id}/events?follow=true`, client, this.#history);
    this.followers.set(id, follower);
    await follower.follow();
  }

  /** `salt`: distinguishes its random numbers from those of other actors. */
  client(actor: string, salt: number): Client {
    return new Client(actor, this.#members, new Random(this.#seed * 1_009 + salt), this.#history, this.#stopped);
  }
}

async function register(client: Client, document: JsonObject): Promise<void> {
  const about = String(document.workflow_id);
  const reply = await client.askUntilKnown({
    method: 'POST',
    path: '/workflows',
    body: { ir: document },
    what: 'register',
    about,
  });
  if (reply.outcome !== 'ok') throw new Error(`${about} was refused: ${JSON.stringify(reply.body)}`);
}
