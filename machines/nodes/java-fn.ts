import { type Static, Type } from 'typebox';
import { defineKind, type KindDefinition } from './kind.ts';
import { INPUT_MAPPING, mappingUnlessEmpty, OUTPUT_PROPERTIES, readOutputFields } from './shared-fields.ts';
import { WORK_SYNTAX } from './syntax.ts';

export const JavaFn = Type.Object(
  {
    type: Type.Literal('java_fn'),
    class_name: Type.String({ description: 'Full name of the class.' }),
    method: Type.String({ description: 'Name of the method.' }),
    input_mapping: INPUT_MAPPING,
    ...OUTPUT_PROPERTIES,
  },
  { description: 'A Java method, called by an external worker.' },
);
export type JavaFn = Static<typeof JavaFn>;

export const javaFn: KindDefinition<JavaFn> = defineKind<JavaFn>({
  type: 'java_fn',
  schema: JavaFn,
  normalise: (fields) => ({
    type: 'java_fn',
    class_name: fields.requiredName('class_name'),
    method: fields.requiredName('method'),
    input_mapping: fields.mapping('input_mapping'),
    ...readOutputFields(fields),
  }),
  aliases: { class_name: ['class'], input_mapping: ['arguments'] },
  requiredKeys: ['class_name', 'method'],
  distinctiveKeys: ['input_mapping', 'arguments'],
  queue: () => 'java_tool',
  policyNames: (kind) => [`${kind.class_name}.${kind.method}`, kind.method],
  mapping: (kind) => mappingUnlessEmpty(kind.input_mapping),
  payload: (kind, input) => ({ class: kind.class_name, method: kind.method, input }),
  objectResultIsPatch: true,
  syntax: { keys: { class_name: { holds: 'text', spellings: ['class'] }, method: { holds: 'text' }, ...WORK_SYNTAX } },
  diagramShape: 'java_fn',
});
