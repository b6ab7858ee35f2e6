import { type Static, Type } from 'typebox';
import { COMMON_PROPERTIES, type KindDefinition, Mapping, mappingUnlessEmpty, namedTargets, readCommonFields } from './kind.ts';

/** A Java method, called by an external worker. */
export const JavaFn = Type.Object({
  type: Type.Literal('java_fn'),
  class_name: Type.String(),
  method: Type.String(),
  input_mapping: Mapping,
  ...COMMON_PROPERTIES,
});
export type JavaFn = Static<typeof JavaFn>;

export const javaFn: KindDefinition<JavaFn> = {
  type: 'java_fn',
  schema: JavaFn,
  normalise: (fields) => ({
    type: 'java_fn',
    class_name: fields.requiredName('class_name', 'class'),
    method: fields.requiredName('method'),
    input_mapping: fields.mapping('input_mapping', 'arguments'),
    ...readCommonFields(fields),
  }),
  behaviour: () => 'work',
  queue: () => 'java_tool',
  policyNames: (kind) => [`${kind.class_name}.${kind.method}`, kind.method],
  tool: () => null,
  targets: (kind) => namedTargets(kind, 'fallback_node'),
  mapping: (kind) => mappingUnlessEmpty(kind.input_mapping),
  payload: (kind, input) => ({ class: kind.class_name, method: kind.method, input }),
  objectResultIsPatch: true,
};
