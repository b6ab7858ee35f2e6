import { nextTurn } from '../loop-turns.ts';
import type { IdSearch, IdSearchResult } from '../port/execution-search.ts';
import type { ResourceDatabase } from './database.ts';
import { SEARCH_IDS } from './queries/execution-ids.ts';

/** Ids looked at before other work runs: a few milliseconds. */
const SLICE = 10_000;
/** Ids that one search looks at: a fraction of a second. */
const MAX_SEARCHED = 1_000_000;
/** Sorts after every id. */
const AFTER_ALL = '\uffff';
/** `exec_` and 32 hex digits. */
const ID_LENGTH = 37;

/** Finds executions by a part of their id. */
export class ExecutionIds {
  readonly #db: ResourceDatabase;
  readonly #maxSearched: number;

  constructor(db: ResourceDatabase, maxSearched = MAX_SEARCHED) {
    this.#db = db;
    this.#maxSearched = maxSearched;
  }

  async search(tenantId: string, { part, after, limit }: IdSearch): Promise<IdSearchResult> {
    const ending: string[] = [];
    const containing: string[] = [];
    const tail = ID_LENGTH - part.length + 1;
    let before = after ?? AFTER_ALL;
    for (let searched = 0; searched < this.#maxSearched; ) {
      const values = { tenantId, part, tail, before, slice: SLICE };
      const slice = await this.#db.tenant(tenantId).get(SEARCH_IDS, values);
      if (slice === null || slice.last === null) break;
      ending.push(...slice.ending);
      containing.push(...slice.containing);
      if (slice.seen < SLICE) return found(ending, containing, limit, null);
      searched += slice.seen;
      before = slice.last;
      await nextTurn(tenantId);
      if (searched >= this.#maxSearched) return found(ending, containing, limit, before);
    }
    return found(ending, containing, limit, null);
  }
}

/** Newest first. Ids that end with the part, if there are any: then it is the short form of an id. */
function found(ending: readonly string[], containing: readonly string[], limit: number, next: string | null): IdSearchResult {
  const matches = (ending.length > 0 ? [...ending] : [...containing]).sort().reverse();
  const ids = matches.slice(0, limit);
  return { ids, next: matches.length > limit ? (ids.at(-1) ?? next) : next };
}
