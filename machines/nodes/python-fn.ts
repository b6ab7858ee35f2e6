import { type Static, Type } from 'typebox';
import { COMMON_PROPERTIES, type KindDefinition, Mapping, mappingUnlessEmpty, namedTargets, readCommonFields } from './kind.ts';

/** A Python function, called by an external worker. */
export const PythonFn = Type.Object({
  type: Type.Literal('python_fn'),
  module: Type.String(),
  function: Type.String(),
  input_mapping: Mapping,
  ...COMMON_PROPERTIES,
});
export type PythonFn = Static<typeof PythonFn>;

export const pythonFn: KindDefinition<PythonFn> = {
  type: 'python_fn',
  schema: PythonFn,
  // The Python SDK's agent loop writes an `input` here that its workers do not expect: it is no mapping.
  normalise: (fields) => ({
    type: 'python_fn',
    module: fields.requiredName('module'),
    function: fields.requiredName('function'),
    input_mapping: fields.mapping('input_mapping', 'arguments'),
    ...readCommonFields(fields),
  }),
  behaviour: () => 'work',
  queue: () => 'python_tool',
  policyNames: (kind) => [`${kind.module}.${kind.function}`, kind.function],
  tool: () => null,
  targets: (kind) => namedTargets(kind, 'fallback_node'),
  mapping: (kind) => mappingUnlessEmpty(kind.input_mapping),
  payload: (kind, input) => ({ module: kind.module, function: kind.function, input }),
  objectResultIsPatch: true,
};
