import { type Static, Type } from 'typebox';
import { defineKind, type KindDefinition } from './kind.ts';
import { INPUT_MAPPING, mappingUnlessEmpty, OUTPUT_PROPERTIES, readOutputFields } from './shared-fields.ts';
import { WORK_SYNTAX } from './syntax.ts';

export const PythonFn = Type.Object(
  {
    type: Type.Literal('python_fn'),
    module: Type.String({ description: 'Dotted name of the module.' }),
    function: Type.String({ description: 'Name of the function in the module.' }),
    input_mapping: INPUT_MAPPING,
    ...OUTPUT_PROPERTIES,
  },
  { description: 'A Python function, called by an external worker.' },
);
export type PythonFn = Static<typeof PythonFn>;

/** The function of the Python SDK's agent loop that calls the tools which a model has asked for. */
const TOOL_DISPATCH = { module: 'jamjet.agents.tool_runtime', function: 'dispatch_tool_calls' };

export const pythonFn: KindDefinition<PythonFn> = defineKind<PythonFn>({
  type: 'python_fn',
  schema: PythonFn,
  normalise: (fields) => ({
    type: 'python_fn',
    module: fields.requiredName('module'),
    function: fields.requiredName('function'),
    input_mapping: fields.mapping('input_mapping'),
    ...readOutputFields(fields),
  }),
  // `input` is no alias: the Python SDK's agent loop writes one here that its workers do not expect.
  aliases: { input_mapping: ['arguments'] },
  requiredKeys: ['module', 'function'],
  distinctiveKeys: ['input_mapping', 'arguments'],
  queue: () => 'python_tool',
  policyNames: (kind) => [`${kind.module}.${kind.function}`, kind.function],
  toolCalls: (kind) =>
    kind.module === TOOL_DISPATCH.module && kind.function === TOOL_DISPATCH.function ? 'last_model_tool_calls' : null,
  mapping: (kind) => mappingUnlessEmpty(kind.input_mapping),
  payload: (kind, input) => ({ module: kind.module, function: kind.function, input }),
  objectResultIsPatch: true,
  syntax: { keys: { module: { holds: 'text' }, function: { holds: 'text' }, ...WORK_SYNTAX } },
  diagramShape: 'python_fn',
});
