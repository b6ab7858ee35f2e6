import { type Static, Type } from 'typebox';
import { COMMON_PROPERTIES, type KindDefinition, Mapping, mappingUnlessEmpty, namedTargets, readCommonFields } from './kind.ts';

/**
 * Calls a function by name: in process when one is registered, by HTTP when `tools` says so, else by an external worker: one of its language
 * when `tools` says that it is a Python or Java function.
 */
export const Tool = Type.Object({
  type: Type.Literal('tool'),
  tool_ref: Type.String(),
  input_mapping: Mapping,
  /** From the workflow's `tools`. */
  python: Type.Optional(Type.Object({ module: Type.String(), function: Type.String() })),
  java: Type.Optional(Type.Object({ class_name: Type.String(), method: Type.String() })),
  ...COMMON_PROPERTIES,
});
export type Tool = Static<typeof Tool>;

export const tool: KindDefinition<Tool> = {
  type: 'tool',
  schema: Tool,
  normalise: (fields) => ({
    type: 'tool',
    tool_ref: fields.requiredName('tool_ref', 'ref', 'tool'),
    input_mapping: fields.mapping('input_mapping', 'arguments', 'input'),
    ...readCommonFields(fields),
  }),
  behaviour: () => 'work',
  queue: (kind) => (kind.python !== undefined ? 'python_tool' : kind.java !== undefined ? 'java_tool' : 'tool'),
  policyNames: (kind) => [kind.tool_ref],
  tool: (kind) => kind.tool_ref,
  targets: (kind) => namedTargets(kind, 'fallback_node'),
  mapping: (kind) => mappingUnlessEmpty(kind.input_mapping),
  payload: ({ tool_ref, python, java }, input) => ({
    tool_ref,
    ...python,
    ...(java === undefined ? {} : { class: java.class_name, method: java.method }),
    input,
  }),
  objectResultIsPatch: true,
};
