import { type Static, Type } from 'typebox';
import { VIEWS } from '../../../machines/export/picture.ts';
import { FORMATS } from '../../pictures/formats.ts';
import { Name } from './fields.ts';

const Wanted = {
  format: Type.Optional(Type.Enum(FORMATS, { description: 'What the picture is written as; default `xstate`.' })),
  view: Type.Optional(
    Type.Enum(VIEWS, {
      description: 'The nodes and edges as the author wrote them (default), or the states of the compiled machine.',
    }),
  ),
};

export const WorkflowMachineQuery = Type.Object({ ...Wanted, version: Type.Optional(Name) });
export type WorkflowMachineQuery = Static<typeof WorkflowMachineQuery>;

export const ExecutionMachineQuery = Type.Object({
  ...Wanted,
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
