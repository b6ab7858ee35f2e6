import { type Static, Type } from 'typebox';
import { VIEWS } from '../../../machines/views/diagram.ts';
import { FORMATS } from '../../diagrams/formats.ts';
import { WorkflowQuery } from '../operations/workflows.ts';
import { flag, sequence } from './fields.ts';

const MACHINE_QUERY = {
  format: Type.Optional(Type.Enum(FORMATS, { description: 'Format of the diagram. Default `xstate`.' })),
  view: Type.Optional(
    Type.Enum(VIEWS, {
      description: '`workflow`: nodes and edges as written (default); `machine`: states of the compiled machine.',
    }),
  ),
};

export const WorkflowMachineQuery = Type.Object({
  ...MACHINE_QUERY,
  ...WorkflowQuery.properties,
});
/** How a workflow is drawn. */
export type WorkflowMachineQuery = Static<typeof WorkflowMachineQuery>;

export const ExecutionMachineQuery = Type.Object({
  ...MACHINE_QUERY,
  at: Type.Optional(sequence('Show the execution as it was after this event of the log. Default: the last event.')),
  marks: Type.Optional(flag('false: only the workflow, of the revision that runs, without what has happened. Default true.')),
});
/** How an execution is drawn. */
export type ExecutionMachineQuery = Static<typeof ExecutionMachineQuery>;
