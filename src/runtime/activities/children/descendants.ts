import type { ExecutionStore } from '../../../../store/port/execution-store.ts';
import { RecentlyUsed } from '../../../../store/recently-used.ts';
import { RuntimeError } from '../../errors.ts';

/** The label of a child that names the root of its tree, the topmost ancestor. */
export const ROOT_LABEL = 'jamjet.root';
/** The most executions in one tree, not counting its root. */
export const MAX_DESCENDANTS = 10_000;
/** The most trees whose sizes are cached. */
const MAX_REMEMBERED = 10_000;
/** On a shared database, a tree is counted again after so many children. */
const RECOUNT_AFTER = 256;

interface Tree {
  count: number;
  /** Children admitted since it was counted. */
  admitted: number;
}

/**
 * Limits how many descendants an execution may have. A tree is counted by an index on labels at its first child here, then kept
 * in memory.
 */
export class Descendants {
  readonly #store: Pick<ExecutionStore, 'tenant' | 'shared'>;
  readonly #trees = new RecentlyUsed<string, Promise<Tree>>(MAX_REMEMBERED);

  constructor(store: Pick<ExecutionStore, 'tenant' | 'shared'>) {
    this.#store = store;
  }

  /** Counts one more descendant. Throws `bad_request` when there are too many. */
  async admit(tenantId: string, rootId: string): Promise<void> {
    const tree = await this.#tree(tenantId, rootId);
    if (tree.count >= MAX_DESCENDANTS) {
      throw new RuntimeError('bad_request', `execution ${rootId} has ${MAX_DESCENDANTS} descendants, the maximum`);
    }
    tree.count += 1;
    tree.admitted += 1;
    if (this.#store.shared && tree.admitted >= RECOUNT_AFTER) this.#trees.delete(rootId);
  }

  #tree(tenantId: string, rootId: string): Promise<Tree> {
    const known = this.#trees.get(rootId);
    if (known !== undefined) return known;
    const filter = { labels: [{ key: ROOT_LABEL, value: rootId }] };
    const counted = this.#store
      .tenant(tenantId)
      .countExecutions(filter)
      .then((count) => ({ count, admitted: 0 }));
    this.#trees.set(rootId, counted);
    counted.catch(() => this.#trees.delete(rootId));
    return counted;
  }
}
