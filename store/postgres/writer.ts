import { setTimeout } from 'node:timers/promises';
import type { Client, QueryResultRow } from 'pg';
import type { StreamDigest } from '../digest.ts';
import { StoreError } from '../errors.ts';
import { type Chain, seal } from './audit/chain.ts';
import { ask, BEGIN, type Connections, part, type Queries, type Sql, silence, sql, type Value } from './connections.ts';
import { asStoreError, isConnectionError, isContention, refusalOf, storeClosed } from './errors.ts';
import { CHAIN, FENCE_CHAIN, NEW_CHAIN, SEAL, SEALED } from './queries/commit.ts';
import { WRITES } from './queries/positions.ts';

const COMMIT = sql('COMMIT');
const ROLLBACK = sql('ROLLBACK');

/** How long a commit whose answer was lost waits for the database to come back, before its fate is given up as unknown. */
const SETTLE_MS = 15_000;
const RETRY_MS = 100;
const MAX_ATTEMPTS = 20;

/** What a transaction comes to: what it answers, and the streams it appended to. */
export interface Written<T> {
  readonly result: T;
  readonly atMs: number;
  readonly streams: readonly StreamDigest[];
  /** What other processes are told as soon as it is committed. */
  readonly notices?: readonly string[];
}

export interface Transaction extends Queries {
  /** Sent with what follows, without waiting; a failure undoes the transaction. */
  send(statement: Sql, values: readonly Value[]): void;
}

/** What becomes of a transaction whose answer does not come: null = it cannot have taken place. */
interface Pending<T> {
  sealed: { readonly chain: Chain; readonly result: T } | null;
}

type Attempt<T> = (client: Client, pending: Pending<T>) => Promise<T>;

/**
 * All that this process writes goes through one connection, one transaction after the other, each sealed in the writer's own
 * audit chain. When a connection breaks before the answer has come, the chain tells whether the transaction took place.
 */
export class Writer {
  readonly #connections: Connections;
  readonly #key: string | Uint8Array | null;
  #writer: string;
  readonly #setBack: () => void;
  #client: Promise<Client> | null = null;
  #chain: Chain | null = null;
  /** How many commits of its chain the database has acknowledged. */
  #acknowledged = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** `setBack` is told when the database lacks commits it had acknowledged; what finds out rejects. */
  constructor(connections: Connections, writer: string, key: string | Uint8Array | null, setBack: () => void) {
    this.#connections = connections;
    this.#writer = writer;
    this.#key = key;
    this.#setBack = setBack;
  }

  /** The runtime or command whose commits the next blocks seal. */
  set writer(name: string) {
    this.#writer = name;
    this.#chain = null;
    this.#acknowledged = 0;
  }

  /** `body` may be carried out again, from the beginning. */
  write<T>(body: (transaction: Transaction) => Written<T> | Promise<Written<T>>): Promise<T> {
    return this.#inTurn((client, pending) => this.#inTransaction(client, pending, body));
  }

  /** By one statement that is a transaction in itself; its parameters are the writer, `values` and those of `SEAL`. */
  writeAtOnce<T>(statement: Sql, values: readonly Value[], written: Written<T>): Promise<T> {
    return this.#inTurn(async (client, pending) => {
      const chain = this.#chain ?? (await this.#load(client, CHAIN));
      await ask(client, statement, [this.#writer, ...values, ...this.#seal(chain, pending, written)]);
      return written.result;
    });
  }

  /** Whether the database has all it had acknowledged. Rejects if not. */
  async look(): Promise<void> {
    if (this.#acknowledged === 0) return;
    await this.#inTurn(async (client) => {
      await this.#load(client, CHAIN);
    });
  }

  #inTurn<T>(attempt: Attempt<T>): Promise<T> {
    const turn = this.#last.then(() => this.#insist(attempt));
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** What is being written is waited for, if the database answers. */
  async close(): Promise<void> {
    await Promise.race([this.#last, silence()]);
    const client = await Promise.race([this.#client?.catch(() => null), silence()]);
    this.#client = null;
    if (client) await part(client);
  }

  async #insist<T>(attempt: Attempt<T>): Promise<T> {
    for (let attempts = 1; ; attempts += 1) {
      if (this.#connections.closed) throw storeClosed();
      const pending: Pending<T> = { sealed: null };
      try {
        const result = await attempt(await this.#connection(), pending);
        this.#chain = pending.sealed?.chain ?? null;
        this.#acknowledged = this.#chain?.commits ?? this.#acknowledged;
        return result;
      } catch (error) {
        const { sealed } = pending;
        const again = refusalOf(error) === 'chain' || isContention(error);
        if (again) this.#chain = null;
        if (isConnectionError(error)) {
          this.#drop();
          this.#chain = null;
          if (sealed === null && attempts > 1) throw asStoreError(error);
          if (sealed !== null && (await this.#tookPlace(sealed.chain, error))) return sealed.result;
        } else if (!again) throw asStoreError(error);
        if (attempts >= MAX_ATTEMPTS) throw asStoreError(error);
      }
    }
  }

  async #inTransaction<T>(
    client: Client,
    pending: Pending<T>,
    body: (transaction: Transaction) => Written<T> | Promise<Written<T>>,
  ): Promise<T> {
    const asked: Promise<unknown>[] = [];
    const send = (statement: Sql, values: readonly Value[]): void => {
      const answer = ask(client, statement, values);
      answer.catch(() => {});
      asked.push(answer);
    };
    const query = <Row extends QueryResultRow>(statement: Sql, values: readonly Value[] = []) =>
      ask<Row>(client, statement, values);
    send(BEGIN, []);
    send(WRITES, [this.#writer]);
    let chain: Chain;
    let written: Written<T>;
    try {
      chain = this.#chain ?? (await this.#load(client, CHAIN));
      written = await body({ query, send });
    } catch (error) {
      await ask(client, ROLLBACK, []).catch(() => {});
      throw error;
    }
    send(SEAL, this.#seal(chain, pending, written));
    send(COMMIT, []);
    const settled = await Promise.allSettled(asked);
    const failure = settled.find((each) => each.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    return written.result;
  }

  /** The parameters of `SEAL`; from here on the transaction may take place. */
  #seal<T>(chain: Chain, pending: Pending<T>, { result, notices = [], ...written }: Written<T>): readonly Value[] {
    const { rows, next } = seal(chain, { writer: this.#writer, key: this.#key, ...written });
    pending.sealed = { chain: next, result };
    return [JSON.stringify(rows), this.#writer, chain.commits, next.block, next.hash, JSON.stringify(notices), chain.fence];
  }

  /** A connection that broke may not know it yet. */
  #drop(): void {
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
    const [chain] = await ask<Chain & QueryResultRow>(client, statement, [this.#writer]);
    if (chain !== undefined) {
      this.#compare(chain);
      return chain;
    }
    await ask(client, NEW_CHAIN, [this.#writer]);
    return this.#load(client, statement);
  }

  /** Nobody else writes to the chain of a runtime: when it has become shorter, the database is not what everybody was told that it is. */
  #compare({ commits }: Chain): void {
    const gone = this.#acknowledged - commits;
    this.#acknowledged = commits;
    if (gone <= 0) return;
    const text = `the database has gone back to an earlier state: ${gone} commits of ${this.#writer}, which it had acknowledged, are gone`;
    this.#setBack();
    throw new StoreError('store_unavailable', text);
  }

  /** Whether the commit that was to lead to `next` did. If not, it never will. Rejects when the database stays away. */
  async #tookPlace(next: Chain, cause: unknown): Promise<boolean> {
    const until = performance.now() + SETTLE_MS;
    for (;;) {
      try {
        const client = await this.#connection();
        const chain = await this.#load(client, FENCE_CHAIN);
        const sealed = await ask(client, SEALED, [this.#writer, next.block, next.hash]);
        this.#chain = chain;
        // A block tells even where processes share a name and its chain. One that touched no stream has none of its own.
        return chain.commits >= next.commits && (sealed.length === 1 || next.block === 0);
      } catch (error) {
        this.#drop();
        if (error instanceof StoreError) throw error;
        if (!isConnectionError(error) || performance.now() > until || this.#connections.closed)
          throw new StoreError('store_unavailable', 'the database went away during a commit', { cause });
      }
      await setTimeout(RETRY_MS);
    }
  }
}
