import type { JsonObject } from '../../machines/json.ts';

/** One thing a client does, at a time; what it is done to is named by the id of the start it refers to. */
export type Operation = {
  readonly id: string;
  readonly atMs: number;
} & (
  | { readonly kind: 'start'; readonly workflow: string; readonly keyed: boolean }
  /** The same request again, under the same idempotency key. */
  | { readonly kind: 'start again'; readonly of: string }
  | { readonly kind: 'event'; readonly of: string; readonly key: string; readonly keyed: boolean; readonly twice: boolean }
  | { readonly kind: 'approve'; readonly of: string; readonly decision: 'approved' | 'rejected'; readonly named: boolean }
  | { readonly kind: 'cancel' | 'pause' | 'resume' | 'retry' | 'read' | 'follow'; readonly of: string }
);

/** What goes wrong, and when. `process` is the place of a runtime process; `nth` counts the commits of that place over all its lives. */
export type Fault = { readonly id: string } & (
  | { readonly kind: 'crash'; readonly process: number; readonly atMs: number; readonly downMs: number }
  | { readonly kind: 'stop'; readonly process: number; readonly atMs: number; readonly downMs: number; readonly graceMs: number }
  | { readonly kind: 'freeze'; readonly process: number; readonly atMs: number; readonly forMs: number }
  /** The process freezes as it calls a tool for the `nth` time, until another has begun the attempt after that, or `forMs` have passed. */
  | { readonly kind: 'freeze at work'; readonly process: number; readonly nth: number; readonly forMs: number }
  | { readonly kind: 'outage'; readonly process: number; readonly atMs: number; readonly forMs: number }
  | {
      readonly kind: 'commit';
      readonly process: number;
      readonly nth: number;
      /**
       * `refused`: nothing is applied, and an error says so · `crash before`, `crash after`: the process dies with the commit unsent, or
       * applied and not answered · `lost`: applied, but the answer is an error · `late`: the answer is an error, and it is applied afterwards
       * · `slow`: the answer takes long.
       */
      readonly how: 'refused' | 'crash before' | 'crash after' | 'lost' | 'late' | 'slow';
      readonly downMs: number;
    }
  /** Notifications to that process between two times are lost, or come twice. */
  | {
      readonly kind: 'notices';
      readonly process: number;
      readonly atMs: number;
      readonly forMs: number;
      readonly how: 'lost' | 'twice';
    }
);

/** All that a simulation does that is not drawn while it runs. A function of the seed and of what is left out. */
export interface Plan {
  readonly seed: number;
  /** Several runtimes on one database, or one at a time. */
  readonly shared: boolean;
  readonly processes: readonly { readonly skewMs: number; readonly tools: readonly string[] }[];
  readonly workflows: readonly { readonly id: string; readonly document: JsonObject }[];
  readonly operations: readonly Operation[];
  readonly faults: readonly Fault[];
  /** External workers. */
  readonly workers: readonly string[];
  /** When faults end, and everybody behaves. */
  readonly faultsEndAtMs: number;
  /** How long requests and replies take. */
  readonly latency: { readonly usualMs: number; readonly slowMs: number; readonly slow: number };
  readonly options: {
    readonly stepLimit: number;
    readonly concurrency: number;
    readonly cacheBytes: number;
    readonly artifactThresholdBytes: number;
  };
}
