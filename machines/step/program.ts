import type { Workflow } from '../ir/workflow.ts';
import type { JsonObject } from '../json.ts';
import type { ProgramTables } from '../program/tables.ts';
import type { Stepper } from './stepper.ts';

/** A compiled workflow revision. */
export interface Program {
  readonly workflow: Workflow;
  readonly revision: string;
  /** The XState config: plain JSON over the vocabulary. */
  readonly config: JsonObject;
  readonly tables: ProgramTables;
  readonly stepper: Stepper;
}
