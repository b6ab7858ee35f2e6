import type { AutonomyCounts } from './autonomy.ts';
import type { Json } from './json.ts';
import type { Budgets, UsageTotals } from './messages.ts';

/**
 * What an execution takes over from the one that it continues, besides the state. It is part of the log; the parts that are no events are those of
 * the extended state (`Context`).
 */
export interface Carried {
  /** Where it begins. */
  readonly node: string;
  /** What the durable function at the node is given, in place of what the node says. */
  readonly input?: Json;
  readonly inputs?: readonly (readonly [source: string, output: Json, key?: string | null])[];
  /** Buffered external events. */
  readonly events?: readonly { readonly key: string; readonly payload: Json }[];
  readonly usage?: UsageTotals;
  readonly budgets?: Budgets;
  readonly autonomy?: Readonly<Record<string, AutonomyCounts>>;
  readonly evalRetries?: Readonly<Record<string, number>>;
  readonly measures?: Readonly<
    Record<string, Readonly<Record<string, readonly [durationMs: number | null, costUsd: number | null]>>>
  >;
}
