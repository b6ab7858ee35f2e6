import { isObject } from '../json.ts';
import { json, name, namesIfGiven } from './fields.ts';
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
    calls: namesIfGiven(
      'Ids of the workflows that the function calls (`ctx.call`): it may call no other. Absent: any in the process of the server, none in a worker.',
      { names: 'workflow' },
    ),
    machine: json(
      'The states of the state machine that the function runs, as a config of XState: for pictures, and what a worker may report of it. `durableMachine` writes them.',
    ),
    output_schema: UNCHECKED_SCHEMA,
    ...OUTPUT,
  },
});

export const durableFunction = defineKind(DURABLE_FUNCTION, {
  queue: () => 'tool',
  policyNames: (kind) => [kind.function_ref],
  keepsJournal: true,
  functionScope: ({ calls = null, machine }) => ({ calls, machine: isObject(machine) ? machine : null }),
  payload: ({ function_ref, calls }, input) => ({ function_ref, input, ...(calls === undefined ? {} : { calls }) }),
  objectResultIsPatch: true,
  diagramShape: 'tool',
  letter: 'ƒ',
});
