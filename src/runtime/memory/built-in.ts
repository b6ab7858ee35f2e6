import { hash } from 'node:crypto';
import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import { pathOfIllFormedText } from '../../../machines/unicode.ts';
import type { ActionContext } from '../../../store/port/control.ts';
import type { ExecutionStore } from '../../../store/port/execution-store.ts';
import type { MemoryItemRow, MemoryItemWrite, MemoryLimits } from '../../../store/port/resources/memory.ts';
import type { MemoryItem, MemorySearchOptions } from '../../executors/memory/connector.ts';
import type { Clock } from '../clock.ts';
import { RuntimeError, truncated } from '../errors.ts';
import type { TimeSlices } from '../scheduling/time-slices.ts';
import type {
  MemoryItemsPage,
  MemoryItemView,
  MemoryNamespaceView,
  MemoryPageRequest,
  MemorySearchResult,
} from '../types/memory.ts';

export const MAX_ITEMS_PER_REQUEST = 1_000;
/** Bytes. */
export const MAX_TEXT = 64 * 1024;
const MAX_METADATA = 8 * 1024;
const MAX_QUERY = 16 * 1024;
const MAX_TTL_SECS = 10 * 366 * 86_400;
export const MEMORY_PAGE = { defaultLimit: 100, maxLimit: 1_000 } as const;
const DEFAULT_RESULTS = 5;
const MAX_RESULTS = 100;
const ID_LENGTH = 32;

const LIMITS: MemoryLimits = { namespaces: 10_000, itemsPerNamespace: 100_000, bytes: 1024 ** 3 };
const LIMIT_TEXTS: Readonly<Record<keyof MemoryLimits, string>> = {
  namespaces: 'the tenant has 10,000 memory namespaces, and may not have more',
  itemsPerNamespace: 'a memory namespace may have 100,000 items',
  bytes: 'the memory of a tenant may have 1 GiB of texts',
};

/** Fields of the logged event that say where a change comes from. */
type Origin = Readonly<Record<string, string>>;

interface BuiltInMemoryOptions {
  readonly store: Pick<ExecutionStore, 'memory'>;
  readonly clock: Clock;
  readonly slices: TimeSlices;
  /** Rejects with `limit_exceeded_storage`. */
  readonly mayStore: (tenantId: string) => Promise<void> | null;
}

/**
 * The memory in the store of the runtime. Throws `bad_request` for what cannot be stored, `limit_exceeded_memory` and `limit_exceeded_storage`. `actor` is recorded with
 * changes.
 */
export class BuiltInMemory {
  readonly #options: BuiltInMemoryOptions;

  constructor(options: BuiltInMemoryOptions) {
    this.#options = options;
  }

  async add(
    actor: Omit<ActionContext, 'atMs'>,
    namespace: string,
    items: readonly MemoryItem[],
    origin: Origin = {},
  ): Promise<{ readonly ids: readonly string[]; readonly added: number; readonly replaced: number }> {
    checkNamespace(namespace);
    if (items.length > MAX_ITEMS_PER_REQUEST)
      throw bad(`items: ${items.length} items are more than the ${MAX_ITEMS_PER_REQUEST} of one request`);
    const { store, clock, slices, mayStore } = this.#options;
    const atMs = clock.nowMs();
    const writes = items.map((item, index) => writeOf(item, `items[${index}]`, atMs));
    const ids = writes.map(({ id }) => id);
    if (ids.length === 0) return { ids, added: 0, replaced: 0 };
    await mayStore(actor.tenantId);
    // Of items with the same id, the last one counts.
    const last = [...new Map(writes.map((write) => [write.id, write])).values()];
    const write = { namespace, items: last, limits: LIMITS, origin };
    const result = await store.memory.put(write, { ...actor, atMs }, slices.slice(actor.tenantId));
    if ('exceeded' in result) throw new RuntimeError('limit_exceeded_memory', LIMIT_TEXTS[result.exceeded]);
    return { ids, ...result };
  }

  async search(
    tenantId: string,
    namespace: string,
    query: string,
    { limit = DEFAULT_RESULTS, filter = {} }: MemorySearchOptions = {},
  ): Promise<MemorySearchResult> {
    checkNamespace(namespace);
    if (typeof query !== 'string') throw bad('query must be a text');
    if (query.length > MAX_QUERY) throw bad(`query is longer than ${MAX_QUERY} characters`);
    if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_RESULTS)
      throw bad(`limit must be a whole number from 1 to ${MAX_RESULTS}`);
    checkFilter(filter);
    const { store, clock, slices } = this.#options;
    const request = { query: query.toWellFormed(), limit, nowMs: clock.nowMs(), filter: JSON.stringify(filter) };
    const { items, truncated } = await store.memory.search(tenantId, namespace, request, slices.slice(tenantId));
    return {
      results: items.map(({ id, text, score, metadata }) => ({ id, text, score, metadata: parsed(metadata) })),
      truncated,
    };
  }

  async get(tenantId: string, namespace: string, id: string): Promise<MemoryItemView> {
    const { store, clock } = this.#options;
    const row = isNamespace(namespace) ? await store.memory.get(tenantId, namespace, id, clock.nowMs()) : null;
    if (row === null) throw missing(namespace, id);
    return viewOf(row);
  }

  async items(
    tenantId: string,
    namespace: string,
    { limit = MEMORY_PAGE.defaultLimit, before = null }: MemoryPageRequest = {},
  ): Promise<MemoryItemsPage> {
    checkNamespace(namespace);
    const { store, clock, slices } = this.#options;
    const page = { before, limit, nowMs: clock.nowMs() };
    const { items, next } = await store.memory.list(tenantId, namespace, page, slices.slice(tenantId));
    return { items: items.map(viewOf), next };
  }

  async namespaces(
    tenantId: string,
    { limit = MEMORY_PAGE.defaultLimit, after = '' }: { readonly limit?: number; readonly after?: string } = {},
  ): Promise<readonly MemoryNamespaceView[]> {
    return this.#options.store.memory.namespaces(tenantId, { after, limit });
  }

  /** Of a namespace without an id. Throws `not_found` if there is no such item, or namespace. */
  async remove(actor: Omit<ActionContext, 'atMs'>, namespace: string, id: string | null, origin: Origin = {}): Promise<number> {
    if (id !== null && !isNamespace(namespace)) throw missing(namespace, id);
    checkNamespace(namespace);
    const { store, clock, slices } = this.#options;
    const slice = slices.slice(actor.tenantId);
    let total = 0;
    for (;;) {
      await slice.next();
      const removed = await store.memory.remove({ namespace, id, origin }, { ...actor, atMs: clock.nowMs() });
      total += removed;
      if (total === 0) throw missing(namespace, id);
      if (id !== null || removed === 0) return total;
    }
  }

  /** Deletes items whose time is over. Searches leave them out in any case. */
  async removeExpired(actor: Omit<ActionContext, 'atMs' | 'tenantId'>, signal?: { readonly aborted: boolean }): Promise<number> {
    const { store, clock, slices } = this.#options;
    let total = 0;
    for (;;) {
      const nowMs = clock.nowMs();
      const [tenantId] = await store.memory.tenantsWithExpired(nowMs);
      if (tenantId === undefined || signal?.aborted === true) return total;
      await slices.slice(tenantId).next();
      total += await store.memory.removeExpired(nowMs, { ...actor, tenantId, atMs: nowMs });
    }
  }
}

function viewOf({ metadata, ...row }: MemoryItemRow): MemoryItemView {
  return { ...row, metadata: parsed(metadata) };
}

function parsed(metadata: string): JsonObject {
  return JSON.parse(metadata) as JsonObject;
}

function writeOf(item: MemoryItem, path: string, nowMs: number): MemoryItemWrite {
  const { id, text, metadata = {}, ttlSecs } = item;
  if (typeof text !== 'string' || text.trim() === '') throw bad(`${path}.text must be a text that is not empty`);
  if (Buffer.byteLength(text) > MAX_TEXT) throw bad(`${path}.text is larger than 64 KiB: store it in parts`);
  if (!isObject(metadata as Json)) throw bad(`${path}.metadata must be an object`);
  const stored = JSON.stringify(metadata);
  if (Buffer.byteLength(stored) > MAX_METADATA) throw bad(`${path}.metadata is larger than 8 KiB`);
  if (id !== undefined && (typeof id !== 'string' || id === '' || id.length > 256))
    throw bad(`${path}.id must be a text of 1 to 256 characters`);
  for (const [key, value] of Object.entries({ id, text, metadata })) checkStorable(`${path}.${key}`, value);
  if (ttlSecs !== undefined && !(Number.isFinite(ttlSecs) && ttlSecs > 0 && ttlSecs <= MAX_TTL_SECS))
    throw bad(`${path}: the time to live must be a number of seconds greater than 0, of ten years at most`);
  return {
    id: id ?? hash('sha256', `${text}\0${stored}`, 'hex').slice(0, ID_LENGTH),
    text,
    metadata: stored,
    expiresAtMs: ttlSecs === undefined ? null : nowMs + Math.ceil(ttlSecs * 1_000),
  };
}

function isNamespace(name: string): boolean {
  return typeof name === 'string' && /^[^/\p{Cc}\p{Cs}]{1,128}$/u.test(name);
}

function checkNamespace(name: string): void {
  if (isNamespace(name)) return;
  throw bad('the namespace of a memory is a name of 1 to 128 characters, without / and control characters');
}

function checkFilter(filter: JsonObject): void {
  for (const [key, value] of Object.entries(filter))
    if (typeof value === 'object' && value !== null) throw bad(`filter.${key} must be a text, a number, true, false or null`);
  checkStorable('filter', filter);
}

/** Not every database can store all texts of JavaScript. */
function checkStorable(path: string, value: Json | undefined): void {
  if (value === undefined) return;
  if (pathOfIllFormedText(value) !== null) throw bad(`${path} has text that is not valid Unicode (an unpaired surrogate)`);
  if (/(?:^|[^\\])(?:\\\\)*\\u0000/.test(JSON.stringify(value))) throw bad(`${path} has a NUL character`);
}

function missing(namespace: string, id: string | null): RuntimeError {
  const what = id === null ? 'memory namespace' : `item ${truncated(id)} of memory`;
  return new RuntimeError('not_found', `${what} ${truncated(namespace)} not found`);
}

function bad(message: string): RuntimeError {
  return new RuntimeError('bad_request', message);
}
