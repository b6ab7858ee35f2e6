import { LRUCache } from 'lru-cache';
import { compile, type Program } from '../../machines/compile.ts';
import { normalise } from '../../machines/ir/normalise.ts';
import type { Kind } from '../../machines/nodes/index.ts';
import type { Store } from '../../store/store.ts';
import { chooseExecutor, type Means } from '../executors/choose.ts';
import type { Executor } from '../executors/executor.ts';
import { RuntimeError } from './errors.ts';

/** Compiled machines weigh about 10 KB a node; bounding their nodes bounds their memory. */
const MAX_CACHED_NODES = 20_000;

/** A compiled revision and what this runtime knows of it. */
export interface Loaded {
  readonly program: Program;
  readonly kindOf: (node: string) => Kind | null;
  /** How this process does the node's work; null = an external worker does, or a child execution. */
  readonly executorOf: (node: string) => Executor | null;
  /** Does this runtime do the node's work, or start its child? */
  readonly isLocal: (node: string) => boolean;
}

/** Compiled revisions, by hash. */
export class Programs {
  readonly #store: Store;
  readonly #means: Means;
  readonly #cache = new LRUCache<string, Loaded>({
    maxSize: MAX_CACHED_NODES,
    sizeCalculation: (loaded) => loaded.program.workflow.nodes.length + 1,
  });
  readonly #loading = new Map<string, Promise<Loaded>>();

  constructor(store: Store, means: Means) {
    this.#store = store;
    this.#means = means;
  }

  cached(revision: string): Loaded | null {
    return this.#cache.get(revision) ?? null;
  }

  /** Throws `corrupt` when the stored revision is missing or this build cannot compile it. */
  async load(tenantId: string, revision: string): Promise<Loaded> {
    const cached = this.#cache.get(revision);
    if (cached !== undefined) return cached;
    const loading = this.#loading.get(revision);
    if (loading !== undefined) return loading;
    const load = this.#read(tenantId, revision).finally(() => this.#loading.delete(revision));
    this.#loading.set(revision, load);
    return load;
  }

  put(program: Program): Loaded {
    const { nodes, tools } = program.workflow;
    const kinds = new Map(nodes.map((node) => [node.id, node.kind]));
    const executors = new Map(nodes.map((node) => [node.id, chooseExecutor(node.kind, tools, this.#means)]));
    const loaded: Loaded = {
      program,
      kindOf: (node) => kinds.get(node) ?? null,
      executorOf: (node) => executors.get(node) ?? null,
      isLocal: (node) => (executors.get(node) ?? null) !== null || kinds.get(node)?.type === 'subgraph',
    };
    this.#cache.set(program.revision, loaded);
    return loaded;
  }

  async #read(tenantId: string, revision: string): Promise<Loaded> {
    const source = await this.#store.revision(tenantId, revision);
    if (source === null) throw new RuntimeError('corrupt', `workflow revision ${revision} is not in the store`);
    try {
      return this.put(compile(normalise(JSON.parse(source)).workflow, revision));
    } catch (cause) {
      throw new RuntimeError('corrupt', `workflow revision ${revision} cannot be compiled by this version`, { cause });
    }
  }
}
