import type { Json } from '../json.ts';

/**
 * What a key of a kind holds in a workflow file:
 * - `text`, `json`: as it is written;
 * - `target`: a node id, or an end;
 * - `duration`: a duration, whose spellings may have a unit in their name (`timeout_hours`);
 * - `choices`: a list of routes with conditions, and `default` for the last;
 * - `starts`: a list of nodes that are started together;
 * - `sources`: a list of nodes to wait for.
 */
export type AuthoredValue = 'text' | 'json' | 'target' | 'duration' | 'choices' | 'starts' | 'sources';

export interface AuthoredKey {
  readonly holds: AuthoredValue;
  /** Other spellings, the usual one first; the key itself is one too, except of a duration. */
  readonly spellings?: readonly string[];
  /** The key of the node that is read when none of the spellings is there. */
  readonly fallback?: string;
}

/** What is known of a kind that was read from a workflow file, besides its keys. */
export interface AuthoredFacts {
  /** The node's id. */
  readonly id: string;
  /** The spellings of durations that were written, without their units. */
  readonly durations: ReadonlySet<string>;
}

/** How a kind is written in a workflow file. */
export interface KindSyntax {
  /** By the key of the document's kind, in the order of the document. */
  readonly keys: Readonly<Record<string, AuthoredKey>>;
  /** Whether `timeout` limits an attempt, and `retry` says what follows a failed one. Default: true. */
  readonly attempts?: boolean;
  /** Whether `next` may follow. Default: true. */
  readonly next?: boolean;
  /** Fills in what the author left out. */
  complete?(kind: Record<string, Json>, facts: AuthoredFacts): void;
}

export const OUTPUT_SYNTAX = {
  output_key: { holds: 'text' },
  output_to_state: { holds: 'json' },
  fallback_node: { holds: 'target', spellings: ['fallback'] },
  discard_output: { holds: 'json' },
} as const satisfies KindSyntax['keys'];

export const WORK_SYNTAX = {
  input_mapping: { holds: 'json', spellings: ['input', 'arguments'] },
  output_schema: { holds: 'json' },
  ...OUTPUT_SYNTAX,
} as const satisfies KindSyntax['keys'];
