import type { Database, Statement } from 'better-sqlite3';
import type { EventRow } from '../../port/executions.ts';
import * as sql from '../queries/log-names.ts';

export type Actor = Pick<EventRow, 'actorId' | 'actorType' | 'onBehalfOf'>;

/** Actors may be as many as a tenant's own users. */
const MAX_CACHED = 10_000;

/** The numbers that stand for tenants, actors and revisions in executions and their logs. A committed number never changes its meaning. */
export class LogNames {
  readonly #tenantByNumber: Statement<[number], string>;
  readonly #tenantById: Statement<[string], number>;
  readonly #insertTenant: Statement<[string], number>;
  readonly #revisionByHash: Statement<[string], number>;
  readonly #insertRevision: Statement<[string], number>;
  readonly #actorByNumber: Statement<[number], Actor>;
  readonly #actorByName: Statement<[Actor], number>;
  readonly #insertActor: Statement<[Actor], number>;
  readonly #tenants = new Map<number, string>();
  readonly #tenantNumbers = new Map<string, number>();
  readonly #revisionNumbers = new Map<string, number>();
  readonly #actors = new Map<number, Actor>();
  readonly #actorNumbers = new Map<string, number>();
  /** Most entries have the same actor as the one before. */
  #lastActor: (Actor & { readonly number: number }) | null = null;

  constructor(db: Database) {
    this.#tenantByNumber = db.prepare<[number], string>(sql.TENANT_BY_NUMBER).pluck();
    this.#tenantById = db.prepare<[string], number>(sql.TENANT_NUMBER).pluck();
    this.#insertTenant = db.prepare<[string], number>(sql.INSERT_TENANT).pluck();
    this.#revisionByHash = db.prepare<[string], number>(sql.REVISION_NUMBER).pluck();
    this.#insertRevision = db.prepare<[string], number>(sql.INSERT_REVISION_NUMBER).pluck();
    this.#actorByNumber = db.prepare<[number], Actor>(sql.ACTOR_BY_NUMBER);
    this.#actorByName = db.prepare<[Actor], number>(sql.ACTOR_NUMBER).pluck();
    this.#insertActor = db.prepare<[Actor], number>(sql.INSERT_ACTOR).pluck();
  }

  /** Undefined when there is none, which only a change by hand can cause. */
  tenant(number: number): string | undefined {
    return cached(this.#tenants, number, () => this.#tenantByNumber.get(number));
  }

  /** Undefined when the tenant has no entries. */
  tenantNumber(id: string): number | undefined {
    return cached(this.#tenantNumbers, id, () => this.#tenantById.get(id));
  }

  /** Undefined when there is none, which only a change by hand can cause. */
  actor(number: number): Actor | undefined {
    return cached(this.#actors, number, () => this.#actorByNumber.get(number));
  }

  /** Gives the tenant a number if it has none. Inside a write transaction. */
  putTenant(id: string): number {
    return this.tenantNumber(id) ?? keep(this.#tenantNumbers, id, this.#insertTenant.get(id));
  }

  /** Gives the revision a number if it has none. Inside a write transaction. */
  putRevision(hash: string): number {
    const known = this.#revisionNumbers.get(hash);
    if (known !== undefined) return known;
    return keep(this.#revisionNumbers, hash, this.#revisionByHash.get(hash) ?? this.#insertRevision.get(hash));
  }

  /** Gives the actor a number if it has none. Inside a write transaction. */
  putActor({ actorId, actorType, onBehalfOf }: Actor): number {
    const last = this.#lastActor;
    if (last?.actorId === actorId && last.actorType === actorType && last.onBehalfOf === onBehalfOf) return last.number;
    const key = `${actorType} ${actorId.length} ${actorId}${onBehalfOf === null ? '' : ` ${onBehalfOf}`}`;
    const actor = { actorId, actorType, onBehalfOf };
    const number = this.#actorNumbers.get(key) ?? keep(this.#actorNumbers, key, this.#numberOfActor(actor));
    // A key after a spread would make a new hidden class at each call in Node 20.
    this.#lastActor = { number, ...actor };
    return number;
  }

  #numberOfActor(actor: Actor): number | undefined {
    return this.#actorByName.get(actor) ?? this.#insertActor.get(actor);
  }

  /** Call when a transaction was rolled back: its numbers will be given to others. */
  forget(): void {
    this.#tenants.clear();
    this.#tenantNumbers.clear();
    this.#revisionNumbers.clear();
    this.#actors.clear();
    this.#actorNumbers.clear();
    this.#lastActor = null;
  }
}

function cached<Key, Value>(cache: Map<Key, Value>, key: Key, read: () => Value | undefined): Value | undefined {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const value = read();
  return value === undefined ? undefined : keep(cache, key, value);
}

function keep<Key, Value>(cache: Map<Key, Value>, key: Key, value: Value | undefined): Value {
  if (value === undefined) throw new Error('the database gave no number to a name of the log');
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(key, value);
  return value;
}
