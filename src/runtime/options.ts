import type { ExecutionStore } from '../../store/port/execution-store.ts';
import type { Clock } from './clock.ts';
import type { RandomBytes } from './ids.ts';
import type { Tools } from './types/work.ts';

export const DEFAULTS = {
  stepLimit: 10_000,
  concurrency: 256,
  maxSlotWaitMs: 30 * 60_000,
  maxPending: 20_000,
  cacheBytes: 64 * 1024 * 1024,
  artifactThresholdBytes: 8192,
};
/** What `close` gives in-process work, unless told otherwise. */
export const DEFAULT_GRACE_MS = 10_000;

type Vars = Readonly<Record<string, string>>;

export interface RuntimeOptions {
  readonly store: ExecutionStore;
  /** Names this runtime among others, now and earlier; default a random name. */
  readonly id?: string;
  /**
   * In-process tools, by the `tool_ref` that calls them: for every tenant, or as a function says for each. A tool that a tenant does not have
   * is not there for it: what calls it waits for an external worker. The function must always answer the same for a tenant.
   */
  readonly tools?: Tools | ((tenantId: string) => Tools);
  readonly clock?: Clock;
  /** Source of the random part of ids; default the operating system's. A simulation gives one that repeats. */
  readonly randomBytes?: RandomBytes;
  /** Node completions after which an execution fails; default 10,000. */
  readonly stepLimit?: number;
  /** In-process attempts of one tenant that run at the same time; default 256. A third more slots are there for other tenants. */
  readonly concurrency?: number;
  /** How long an in-process attempt may wait for a slot before it fails, retryably; default 30 minutes. */
  readonly maxSlotWaitMs?: number;
  /** Messages and attempts waiting before new requests are refused as `overloaded`; default 20,000. */
  readonly maxPending?: number;
  /** Memory for hot executions, bytes; default 64 MiB. */
  readonly cacheBytes?: number;
  /** Outputs whose JSON is larger than this, bytes, are kept as artifacts beside the log; 0 = none; default 8192. */
  readonly artifactThresholdBytes?: number;
  /** What the `env` root of expressions shows, to every tenant or as a function says; default nothing. It must always answer the same. */
  readonly vars?: Vars | ((tenantId: string) => Vars);
  /** May `http` nodes and tools reach loopback and private addresses? Default no. */
  readonly allowPrivateAddresses?: boolean;
  /**
   * Which stored executions this runtime works on beside those it starts; default all. A runtime for one run on a shared
   * file leaves the others alone.
   */
  readonly shouldProcess?: (executionId: string) => boolean;
  /** Told of conditions and templates that could not be evaluated (they count as false and null). */
  readonly onDiagnostic?: (executionId: string, problem: string) => void;
  /** Told of what went wrong behind the scenes: a store that is away, an execution that cannot be loaded. */
  readonly onError?: (error: unknown) => void;
}
