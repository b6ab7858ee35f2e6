import { name } from './fields.ts';
import { declareKind, defineKind } from './kind.ts';
import { INPUT_MAPPING, OUTPUT, UNCHECKED_SCHEMA } from './shared-fields.ts';

const JAVA_FN = declareKind({
  type: 'java_fn',
  description: 'A Java method, called by an external worker.',
  fields: {
    class_name: name('Full name of the class.', { required: true, spellings: ['class'] }),
    method: name('Name of the method.', { required: true }),
    input_mapping: INPUT_MAPPING,
    output_schema: UNCHECKED_SCHEMA,
    ...OUTPUT,
  },
});

export const javaFn = defineKind(JAVA_FN, {
  queue: () => 'java_tool',
  policyNames: (kind) => [`${kind.class_name}.${kind.method}`, kind.method],
  payload: (kind, input) => ({ class: kind.class_name, method: kind.method, input }),
  objectResultIsPatch: true,
  diagramShape: 'java_fn',
});
