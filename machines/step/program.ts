import type { Workflow } from '../ir/workflow.ts';
import type { JsonObject } from '../json.ts';
import type { ProgramTables } from '../program/tables.ts';
import type { Stepper, Walker } from './walker.ts';

/** A compiled workflow revision. */
export interface Program {
  readonly workflow: Workflow;
  readonly revision: string;
  /** The XState config: plain JSON over the vocabulary. */
  readonly config: JsonObject;
  readonly tables: ProgramTables;
  /** The machine that is built of the config, and what is known of its states. */
  readonly walker: Walker;
  /** What takes the steps: the walker, or one that records or compares what the walker does. */
  readonly stepper: Stepper;
}
