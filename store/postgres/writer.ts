import { setTimeout } from 'node:timers/promises';
import type { Client, QueryResultRow } from 'pg';
import type { StreamDigest } from '../audit/digest.ts';
import { StoreError } from '../port/errors.ts';
import { type Chain, seal } from './audit/chain.ts';
import {
  BEGIN,
  type Connections,
  closeTimeout,
  disconnect,
  type Queries,
  queriesOn,
  runQuery,
  type Sql,
  sql,
  type Value,
} from './connections.ts';
import { asStoreError, isConnectionError, isContention, rejectionOf, storeClosed } from './errors.ts';
import { CHAIN, FENCE_CHAIN, NEW_CHAIN, SEAL, SEALED } from './queries/commit.ts';
import { BEGIN_WRITER } from './queries/positions.ts';

const COMMIT = sql('COMMIT');
const ROLLBACK = sql('ROLLBACK');

/** How long to wait for the database to come back in order to resolve a commit whose answer was lost. After that its outcome is unknown. */
const RESOLVE_MS = 15_000;
const RETRY_MS = 100;
const MAX_ATTEMPTS = 20;

/** The outcome of a transaction: its result, and the streams it appended to. */
export interface WriteOutcome<T> {
  readonly result: T;
  readonly atMs: number;
  readonly streams: readonly StreamDigest[];
  /** Payloads sent to other processes with the commit. */
  readonly notifications?: readonly string[];
}

export interface Transaction extends Queries {
  /** Sends a statement without waiting for its result; when it fails, the transaction is rolled back. */
  send(statement: Sql, values: readonly Value[]): void;
}

/** The state of a transaction whose answer may be lost; `sealed` null = it cannot have been committed yet. */
interface InFlightWrite<T> {
  sealed: { readonly chain: Chain; readonly result: T } | null;
}

type WriteAttempt<T> = (client: Client, pending: InFlightWrite<T>) => Promise<T>;

/**
 * Runs the write transactions of this process one after the other on one connection, each sealed in the writer's own audit chain. When the connection
 * breaks before the answer to a commit arrives, the chain shows whether it was committed.
 */
export class Writer {
  readonly #connections: Connections;
  readonly #key: string | Uint8Array | null;
  #writer: string;
  readonly #onLostCommits: () => void;
  #client: Promise<Client> | null = null;
  #chain: Chain | null = null;
  /** How many commits of the chain the database has acknowledged. */
  #acknowledged = 0;
  #tail: Promise<unknown> = Promise.resolve();

  /** `onLostCommits` is called when the database lacks commits it had acknowledged; the call that detects it rejects. */
  constructor(connections: Connections, writer: string, key: string | Uint8Array | null, setBack: () => void) {
    this.#connections = connections;
    this.#writer = writer;
    this.#key = key;
    this.#onLostCommits = setBack;
  }

  /** The runtime or command whose commits the next blocks seal. */
  set writer(name: string) {
    this.#writer = name;
    this.#chain = null;
    this.#acknowledged = 0;
  }

  /** `body` may be run again from the beginning. */
  write<T>(body: (transaction: Transaction) => WriteOutcome<T> | Promise<WriteOutcome<T>>): Promise<T> {
    return this.#serialized((client, pending) => this.#inTransaction(client, pending, body));
  }

  /** Writes with one statement that is a transaction in itself; its parameters are the writer, `values` and those of `SEAL`. */
  writeInOneStatement<T>(statement: Sql, values: readonly Value[], written: WriteOutcome<T>): Promise<T> {
    return this.#serialized(async (client, pending) => {
      const chain = this.#chain ?? (await this.#load(client, CHAIN));
      await runQuery(client, statement, [this.#writer, ...values, ...this.#seal(chain, pending, written)]);
      return written.result;
    });
  }

  /** Rejects when the database lacks commits it had acknowledged. */
  async checkAcknowledged(): Promise<void> {
    if (this.#acknowledged === 0) return;
    await this.#serialized(async (client) => {
      await this.#load(client, CHAIN);
    });
  }

  #serialized<T>(attempt: WriteAttempt<T>): Promise<T> {
    const turn = this.#tail.then(() => this.#withRetries(attempt));
    this.#tail = turn.catch(() => {});
    return turn;
  }

  /** Waits for the transaction in progress, if the database answers. */
  async close(): Promise<void> {
    await Promise.race([this.#tail, closeTimeout()]);
    const client = await Promise.race([this.#client?.catch(() => null), closeTimeout()]);
    this.#client = null;
    if (client) await disconnect(client);
  }

  async #withRetries<T>(attempt: WriteAttempt<T>): Promise<T> {
    for (let attempts = 1; ; attempts += 1) {
      if (this.#connections.closed) throw storeClosed();
      const pending: InFlightWrite<T> = { sealed: null };
      try {
        const result = await attempt(await this.#connection(), pending);
        this.#chain = pending.sealed?.chain ?? null;
        this.#acknowledged = this.#chain?.commits ?? this.#acknowledged;
        return result;
      } catch (error) {
        const { sealed } = pending;
        const again = rejectionOf(error) === 'chain' || isContention(error);
        if (again) this.#chain = null;
        if (isConnectionError(error)) {
          this.#dropConnection();
          this.#chain = null;
          if (sealed === null && attempts > 1) throw asStoreError(error);
          if (sealed !== null && (await this.#wasCommitted(sealed.chain, error))) return sealed.result;
        } else if (!again) throw asStoreError(error);
        if (attempts >= MAX_ATTEMPTS) throw asStoreError(error);
      }
    }
  }

  async #inTransaction<T>(
    client: Client,
    pending: InFlightWrite<T>,
    body: (transaction: Transaction) => WriteOutcome<T> | Promise<WriteOutcome<T>>,
  ): Promise<T> {
    const answers: Promise<unknown>[] = [];
    const send = (statement: Sql, values: readonly Value[]): void => {
      const answer = runQuery(client, statement, values);
      answer.catch(() => {});
      answers.push(answer);
    };
    send(BEGIN, []);
    send(BEGIN_WRITER, [this.#writer]);
    let chain: Chain;
    let written: WriteOutcome<T>;
    try {
      chain = this.#chain ?? (await this.#load(client, CHAIN));
      written = await body({ send, ...queriesOn(client) });
    } catch (error) {
      await runQuery(client, ROLLBACK, []).catch(() => {});
      // What follows a statement that has failed says only that one has.
      throw (await firstFailure(answers)) ?? error;
    }
    send(SEAL, this.#seal(chain, pending, written));
    send(COMMIT, []);
    const failure = await firstFailure(answers);
    if (failure !== undefined) throw failure;
    return written.result;
  }

  /** The parameters of `SEAL`; from here on the transaction may be committed. */
  #seal<T>(
    chain: Chain,
    pending: InFlightWrite<T>,
    { result, notifications = [], ...written }: WriteOutcome<T>,
  ): readonly Value[] {
    const { rows, next } = seal(chain, { writer: this.#writer, key: this.#key, ...written });
    pending.sealed = { chain: next, result };
    return [JSON.stringify(rows), this.#writer, chain.commits, next.block, next.hash, JSON.stringify(notifications), chain.fence];
  }

  /** Ends a connection that may not have detected that it is broken. */
  #dropConnection(): void {
    const client = this.#client;
    this.#client = null;
    void client?.then((broken) => broken.end()).catch(() => {});
  }

  #connection(): Promise<Client> {
    if (this.#client !== null) return this.#client;
    const made = this.#connections.dedicated().then((client) => {
      client.on('error', lost);
      client.on('end', lost);
      return client;
    });
    const lost = (): void => {
      if (this.#client === made) this.#client = null;
    };
    made.catch(lost);
    this.#client = made;
    return made;
  }

  async #load(client: Client, statement: Sql): Promise<Chain> {
    const [chain] = await runQuery<Chain & QueryResultRow>(client, statement, [this.#writer]);
    if (chain !== undefined) {
      this.#rejectLostCommits(chain);
      return chain;
    }
    await runQuery(client, NEW_CHAIN, [this.#writer]);
    return this.#load(client, statement);
  }

  /** Only one runtime writes to its chain: if the chain has become shorter, the database has lost commits. */
  #rejectLostCommits({ commits }: Chain): void {
    const gone = this.#acknowledged - commits;
    this.#acknowledged = commits;
    if (gone <= 0) return;
    const text = `the database has gone back to an earlier state: ${gone} commits of ${this.#writer}, which it had acknowledged, are gone`;
    this.#onLostCommits();
    throw new StoreError('store_unavailable', text);
  }

  /** Whether the commit that leads to `next` took place; if not, it never will. Rejects when the database stays unreachable. */
  async #wasCommitted(next: Chain, cause: unknown): Promise<boolean> {
    const until = performance.now() + RESOLVE_MS;
    for (;;) {
      try {
        const client = await this.#connection();
        const chain = await this.#load(client, FENCE_CHAIN);
        const sealed = await runQuery(client, SEALED, [this.#writer, next.block, next.hash]);
        this.#chain = chain;
        // A block identifies the commit even where processes share a name and its chain. A commit without streams has no block.
        return chain.commits >= next.commits && (sealed.length === 1 || next.block === 0);
      } catch (error) {
        this.#dropConnection();
        if (error instanceof StoreError) throw error;
        if (!isConnectionError(error) || performance.now() > until || this.#connections.closed)
          throw new StoreError('store_unavailable', 'the database became unreachable during a commit', { cause });
      }
      await setTimeout(RETRY_MS);
    }
  }
}

async function firstFailure(answers: readonly Promise<unknown>[]): Promise<unknown> {
  const settled = await Promise.allSettled(answers);
  return settled.find((each) => each.status === 'rejected')?.reason;
}
