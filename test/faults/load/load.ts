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
/** So many executions have a stream of their own. */
const FOLLOWED_SHARE = 0.2;

/** Everybody who uses the servers: customers, workers, readers of streams, the receiver of a webhook. */
export class Load {
  readonly executions: TrackedExecution[] = [];
  readonly workers: readonly Worker[];
  /** Of the whole tenant. */
  readonly streams: readonly StreamFollower[];
  /** Of one execution each, by its id. */
  readonly followers = new Map<string, StreamFollower>();
  readonly external: ExternalServer;
  readonly #members: readonly Member[];
  readonly #seed: number;
  readonly #history: History;
  readonly #stopped: AbortSignal;
  readonly #background: Promise<void>[] = [];
  #wellBehaved = false;

  constructor(members: readonly Member[], outside: ExternalServer, seed: number, history: History, over: AbortSignal) {
    this.#members = members;
    this.external = outside;
    this.#seed = seed;
    this.#history = history;
    this.#stopped = over;
    this.workers = Array.from(
      { length: WORKERS },
      (_, i) => new Worker(`worker-${i}`, this.client(`worker-${i}`, 100 + i), history),
    );
    this.streams = Array.from(
      { length: STREAMS },
      (_, i) => new StreamFollower(`stream-${i}`, '/events/stream', this.client(`stream-${i}`, 200 + i), history),
    );
  }

  /** Registers what is needed; streams and workers are there before the first customer. */
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

  /** New executions are started until the signal comes; each is gone along with to its end. */
  async runClients(stopStarting: AbortSignal): Promise<void> {
    await Promise.all(Array.from({ length: CLIENTS }, (_, i) => this.#runClient(i, stopStarting)));
  }

  /** What was started for clients that walked away without an answer is found by its label, and cancelled. */
  async cancelUnknownStarts(): Promise<void> {
    const client = this.client('sweeper', 2);
    for (const story of this.executions.filter(({ id }) => id === null)) {
      const path = `/executions?label=${encodeURIComponent(`key:${story.key}`)}`;
      const { body } = await client.askUntilKnown({ method: 'GET', path, what: 'find', about: story.key });
      const [found] = Array.isArray(body.executions) ? body.executions.filter(isObject) : [];
      if (found === undefined) continue;
      story.id = String(found.id);
      await story.cancel(client, `${story.key}-swept`);
    }
  }

  /** Nobody makes trouble any more. */
  stopMisbehaving(): void {
    this.#wellBehaved = true;
    this.external.acceptsEverything = true;
  }

  /** Ends those who would go on for ever. */
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
      const story = new TrackedExecution(workflow, `${workflow}-${index}-${n}`, this.#history);
      this.executions.push(story);
      const follows = random.chance(FOLLOWED_SHARE);
      const played = play(story, client).then(
        () => {
          story.finished = true;
        },
        (error: unknown) => {
          if (!this.#stopped.aborted) throw error;
        },
      );
      if (follows) this.#background.push(this.#follow(story, client, played));
      await played;
      await after(random.between(0, 100));
    }
  }

  async #follow(story: TrackedExecution, client: Client, played: Promise<void>): Promise<void> {
    let isPlayed = false;
    void played.finally(() => {
      isPlayed = true;
    });
    while (story.id === null && !isPlayed) await after(20);
    const { id } = story;
    if (id === null) return;
    const follower = new StreamFollower(`follower of ${id}`, `/executions/${id}/events?follow=true`, client, this.#history);
    this.followers.set(id, follower);
    await follower.follow();
  }

  /** `salt`: what tells its random numbers from those of others. */
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
  if (reply.outcome !== 'ok') throw new Error(`${about} is refused: ${JSON.stringify(reply.body)}`);
}
