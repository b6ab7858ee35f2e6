import { type Static, Type } from 'typebox';
import { VIEWS } from '../../../machines/views/diagram.ts';
import { FORMATS } from '../../diagrams/formats.ts';
import { Name } from './fields.ts';

const MACHINE_QUERY = {
  format: Type.Optional(Type.Enum(FORMATS, { description: 'What the picture is written as; default `xstate`.' })),
  view: Type.Optional(
    Type.Enum(VIEWS, {
      description: 'The nodes and edges as the author wrote them (default), or the states of the compiled machine.',
    }),
  ),
};

export const WorkflowMachineQuery = Type.Object({ ...MACHINE_QUERY, version: Type.Optional(Name) });
export type WorkflowMachineQuery = Static<typeof WorkflowMachineQuery>;

export const ExecutionMachineQuery = Type.Object({
  ...MACHINE_QUERY,
  at: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'As it was after this event of the log; default: after the last.',
    }),
  ),
  marks: Type.Optional(
    Type.Boolean({ description: 'false: without what has happened, the workflow alone, of the revision that runs.' }),
  ),
});
export type ExecutionMachineQuery = Static<typeof ExecutionMachineQuery>;
