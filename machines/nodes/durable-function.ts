import { json, name } from './fields.ts';
import { declareKind, defineKind } from './kind.ts';
import { INPUT_MAPPING, OUTPUT, UNCHECKED_SCHEMA } from './shared-fields.ts';

const DURABLE_FUNCTION = declareKind({
  type: 'durable_function',
  description:
    'Runs a function whose operations (`ctx.step`, `ctx.sleep`, `ctx.event` …) are logged: after a crash it runs again from its top, and operations that have a result give it back.',
  fields: {
    function_ref: name('Name of the function.', {
      required: true,
      names: 'function',
      spellings: ['function', 'function_ref', 'ref'],
    }),
    input_mapping: INPUT_MAPPING,
    machine: json(
      'The states of the state machine that the function runs, as a config of XState: for pictures. `durableMachine` writes them.',
    ),
    output_schema: UNCHECKED_SCHEMA,
    ...OUTPUT,
  },
});

export const durableFunction = defineKind(DURABLE_FUNCTION, {
  queue: () => 'tool',
  policyNames: (kind) => [kind.function_ref],
  keepsJournal: true,
  payload: ({ function_ref }, input) => ({ function_ref, input }),
  objectResultIsPatch: true,
  diagramShape: 'tool',
  letter: 'ƒ',
});
