import { shortened } from '../../../machines/shortened.ts';
import { type WorkContext, WorkError } from '../../executors/executor.ts';
import { asWorkError } from '../../executors/failure.ts';
import type {
  MemoryCallContext,
  MemoryConnector,
  MemoryConnectors,
  MemoryItem,
  MemoryResult,
  MemorySearchOptions,
  ToolMemory,
} from '../../executors/memory/connector.ts';
import { RuntimeError } from '../errors.ts';
import type { BuiltInMemory } from './built-in.ts';

/** The name of the built-in memory before a namespace, unless the operator gives it to a connector. */
const BUILT_IN = 'memory';
const DEFAULT_NAMESPACE = 'default';
const DEFAULT_LIMIT = 5;

/** The attempt for which the memory is used. */
export type Attempt = Pick<WorkContext, 'tenantId' | 'executionId' | 'nodeId' | 'startedBy' | 'signal'>;

/** Null = the built-in memory. */
interface Target {
  readonly connector: MemoryConnector | null;
  readonly name: string;
  readonly namespace: string;
}

/** The memory of a tenant as an attempt sees it. Methods reject with `WorkError`. */
export class AttemptMemory implements ToolMemory {
  readonly #builtIn: BuiltInMemory;
  readonly #connectors: MemoryConnectors;
  readonly #attempt: Attempt;

  constructor(builtIn: BuiltInMemory, connectors: MemoryConnectors, attempt: Attempt) {
    this.#builtIn = builtIn;
    this.#connectors = connectors;
    this.#attempt = attempt;
  }

  search(reference: string, query: string, options: MemorySearchOptions = {}): Promise<readonly MemoryResult[]> {
    return this.#use(reference, async ({ connector, namespace }, context) => {
      if (connector === null) return (await this.#builtIn.search(context.tenantId, namespace, query, options)).results;
      const { limit = DEFAULT_LIMIT, filter = {} } = options;
      const results: unknown = await connector.search({ namespace, query, limit, filter }, context);
      if (Array.isArray(results) && results.every((result) => typeof result === 'object' && result !== null))
        return (results as readonly MemoryResult[]).slice(0, limit);
      throw new WorkError('the memory connector must give a list of results', {
        retryable: false,
        errorClass: 'invalid_response',
      });
    });
  }

  add(reference: string, ...items: readonly MemoryItem[]): Promise<readonly string[]> {
    return this.#use(reference, async ({ connector, name, namespace }, context) => {
      if (connector === null) return (await this.#builtIn.add(this.#actor, namespace, items, this.#origin)).ids;
      if (connector.add === undefined) throw readOnly(name);
      return connector.add(namespace, items, context);
    });
  }

  remove(reference: string, id?: string): Promise<number> {
    return this.#use(reference, async ({ connector, name, namespace }, context) => {
      if (connector === null) return this.#removeBuiltIn(namespace, id ?? null);
      if (connector.remove === undefined) throw readOnly(name);
      return connector.remove(namespace, id ?? null, context);
    });
  }

  /** An attempt that is repeated finds that an item is gone already. */
  async #removeBuiltIn(namespace: string, id: string | null): Promise<number> {
    try {
      return await this.#builtIn.remove(this.#actor, namespace, id, this.#origin);
    } catch (error) {
      if (error instanceof RuntimeError && error.code === 'not_found') return 0;
      throw error;
    }
  }

  async #use<T>(reference: string, call: (target: Target, context: MemoryCallContext) => Promise<T>): Promise<T> {
    const { tenantId, signal } = this.#attempt;
    try {
      return await call(this.#target(reference), { tenantId, signal });
    } catch (error) {
      if (error instanceof RuntimeError) throw failureOf(error);
      throw asWorkError(error);
    }
  }

  #target(reference: string): Target {
    const at = reference.indexOf('/');
    const name = at < 0 ? reference : reference.slice(0, at);
    const connector = Object.hasOwn(this.#connectors, name) ? this.#connectors[name] : undefined;
    if (connector !== undefined) return { connector, name, namespace: at < 0 ? DEFAULT_NAMESPACE : reference.slice(at + 1) };
    if (at < 0) return { connector: null, name: BUILT_IN, namespace: reference };
    if (name === BUILT_IN) return { connector: null, name, namespace: reference.slice(at + 1) };
    const known = [BUILT_IN, ...Object.keys(this.#connectors)].join(', ');
    throw new WorkError(`there is no memory connector "${shortened(name, 100)}"; known: ${known}`, {
      retryable: false,
      errorClass: 'unknown_connector',
    });
  }

  get #actor() {
    const { tenantId, startedBy } = this.#attempt;
    return { tenantId, ...startedBy, request: null };
  }

  get #origin(): Readonly<Record<string, string>> {
    return { execution_id: this.#attempt.executionId, node_id: this.#attempt.nodeId };
  }
}

function readOnly(name: string): WorkError {
  return new WorkError(`the memory connector "${name}" can only be read`, { retryable: false, errorClass: 'validation' });
}

function failureOf(error: RuntimeError): WorkError {
  const errorClass = error.code === 'bad_request' ? 'validation' : error.code;
  return new WorkError(error.message, { cause: error, retryable: false, errorClass });
}
