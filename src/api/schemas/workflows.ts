import { type Static, Type } from 'typebox';
import { Diagnostic } from './errors.ts';
import { AnyObject, Limit, Name, Offset, Timestamp } from './fields.ts';

/** `{ir: …}`, or the IR itself. What is inside is checked by the compiler, which tells more than a schema could. */
export const RegisterWorkflow = AnyObject;

export const RegisteredWorkflow = Type.Object({
  workflow_id: Type.String(),
  version: Type.String(),
  /** SHA-256 of the canonical document: executions are pinned to it. */
  revision: Type.String(),
  warnings: Type.Array(Diagnostic),
});
export type RegisteredWorkflow = Static<typeof RegisteredWorkflow>;

export const WorkflowVersion = Type.Object({
  version: Type.String(),
  revision: Type.String(),
  registered_at: Timestamp,
});
export type WorkflowVersion = Static<typeof WorkflowVersion>;

export const WorkflowSummary = Type.Object({
  workflow_id: Type.String(),
  ...WorkflowVersion.properties,
});

export const WorkflowQuery = Type.Object({ version: Type.Optional(Name) });

export const WorkflowsQuery = Type.Object({ limit: Type.Optional(Limit), offset: Type.Optional(Offset) });

export const WorkflowList = Type.Object({
  workflows: Type.Array(WorkflowSummary),
  limit: Type.Integer(),
  offset: Type.Integer(),
});
export type WorkflowList = Static<typeof WorkflowList>;

/** The same without a frame around it. */
export const WorkflowArray = Type.Array(WorkflowSummary);

export const WorkflowDetail = Type.Object({
  ...WorkflowSummary.properties,
  /** Every registered version, the latest first. */
  versions: Type.Array(WorkflowVersion),
  /** As it was registered, unknown keys included; `nodes` always as a map. */
  ir: AnyObject,
});
export type WorkflowDetail = Static<typeof WorkflowDetail>;
