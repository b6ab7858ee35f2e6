import type { Json } from '../../../machines/json.ts';
import type { Usage } from '../../../machines/messages.ts';
import type { Candidate, FilteredOut, Scoring } from './scoring.ts';

export interface Decision {
  readonly selected: string | null;
  readonly method: string;
  readonly reasoning: string | null;
  readonly confidence: number;
  readonly rejected: readonly FilteredOut[];
  readonly usage?: Usage | undefined;
}

export interface Task {
  readonly task: string;
  /** Undefined = the node gives none. */
  readonly context: Json | undefined;
}

/** The three steps, done by this runtime or by a coordinator server. */
export interface Steps {
  discover(): Promise<{ readonly candidates: readonly Candidate[]; readonly filteredOut: readonly FilteredOut[] }>;
  score(candidates: readonly Candidate[]): Promise<Scoring>;
  decide(candidates: readonly Candidate[], scoring: Scoring): Promise<Decision>;
}
