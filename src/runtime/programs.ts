import { LRUCache } from 'lru-cache';
import { compile, type Program } from '../../machines/compile.ts';
import { normalise } from '../../machines/ir/normalise.ts';
import type { Store } from '../../store/store.ts';
import { RuntimeError } from './errors.ts';
import type { Tools } from './types.ts';

/** Compiled machines weigh about 10 KB a node; bounding their nodes bounds their memory. */
const MAX_CACHED_NODES = 20_000;

/** A compiled revision and what this runtime knows of it. */
export interface Loaded {
  readonly program: Program;
  /** Does this runtime do the node's work in process? */
  readonly isLocal: (node: string) => boolean;
}

/** Compiled revisions, by hash. */
export class Programs {
  readonly #store: Store;
  readonly #tools: Tools;
  readonly #cache = new LRUCache<string, Loaded>({
    maxSize: MAX_CACHED_NODES,
    sizeCalculation: (loaded) => loaded.program.workflow.nodes.length + 1,
  });
  readonly #loading = new Map<string, Promise<Loaded>>();

  constructor(store: Store, tools: Tools) {
    this.#store = store;
    this.#tools = tools;
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
    const local = new Set(program.workflow.nodes.filter((node) => this.#doesInProcess(program, node.id)).map((node) => node.id));
    const loaded = { program, isLocal: (node: string) => local.has(node) };
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

  #doesInProcess(program: Program, nodeId: string): boolean {
    const kind = program.workflow.nodes.find((node) => node.id === nodeId)?.kind;
    if (kind === undefined) return false;
    if (kind.type === 'http' || kind.type === 'subgraph') return true;
    if (kind.type !== 'tool') return false;
    return Object.hasOwn(this.#tools, kind.tool_ref) || program.workflow.tools[kind.tool_ref]?.kind === 'http';
  }
}
