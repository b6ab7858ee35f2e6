import { type Static, Type } from 'typebox';
import { COMMON, common, type KindDefinition, Mapping, routes, whenMapped } from './kind.ts';

/** Calls a function by name: in process when one is registered, by HTTP when `tools` says so, else by an external worker. */
export const Tool = Type.Object({
  type: Type.Literal('tool'),
  tool_ref: Type.String(),
  input_mapping: Mapping,
  ...COMMON,
});
export type Tool = Static<typeof Tool>;

export const tool: KindDefinition<Tool> = {
  type: 'tool',
  schema: Tool,
  normalise: (fields) => ({
    type: 'tool',
    tool_ref: fields.requiredName('tool_ref', 'ref', 'tool'),
    input_mapping: fields.mapping('input_mapping', 'arguments', 'input'),
    ...common(fields),
  }),
  behaviour: () => 'work',
  queue: () => 'tool',
  policyNames: (kind) => [kind.tool_ref],
  tool: (kind) => kind.tool_ref,
  targets: (kind) => routes(kind, 'fallback_node'),
  mapping: (kind) => whenMapped(kind.input_mapping),
  payload: (kind, input) => ({ tool_ref: kind.tool_ref, input }),
  objectResultIsPatch: true,
};
