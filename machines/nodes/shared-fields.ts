import { byRuntime, flag, integer, mapping, name, outputSchema, stateKey, stateKeys, target } from './fields.ts';

// Fields that several kinds have.

/** Fields that any kind with an output may carry. */
export const OUTPUT = {
  output_key: stateKey('State key that receives the output. Default: the rule of the kind, which is usually the node id.', {
    distinctive: true,
  }),
  output_to_state: stateKeys(
    'State keys by the fields of the output that they receive. An output without such a field is received whole by `result`, or by the only key.',
    { distinctive: true },
  ),
  fallback_node: target('Node to continue with, or `end`, when the node has failed for good. The failure is handled then.', {
    spellings: ['fallback'],
    distinctive: true,
  }),
  discard_output: flag('Whether the state stays as it is: only conditions, templates and joins see the output. Default: false.', {
    distinctive: true,
  }),
};

export const INPUT_MAPPING = mapping(
  'What each attempt is given: an object of values and `{{ … }}` templates, or one template for the whole value. Empty: the whole state.',
  { spellings: ['input', 'arguments'], distinctive: ['input_mapping', 'arguments'], rendered: true },
);

/** A schema that files may say of any output; the runtime checks only those of some kinds. */
export const UNCHECKED_SCHEMA = outputSchema('JSON Schema of the output.', { only: 'file' });

/** The function that is called, which a file may name by the id of the node. */
export const TOOL_REF = name('Name of the function that is called.', { required: 'document', spellings: ['tool', 'ref', 'fn'] });

/** The model that the workflow's `models` declare under the name in the field beside it. */
export const DECLARED = byRuntime('The model that `models` names. Set by the runtime.', {
  provider: name('Provider.', { required: true }),
  model: name('Its name there.', { required: true }),
});

/** Tool calls of one answer of a model, at most, unless the node says otherwise. */
export const DEFAULT_CALLS_PER_ANSWER = 128;

export const CALLS_PER_ANSWER = integer(
  `Tool calls of one answer, at most. The node fails with \`too_many_calls\` when the model asks for more. Default: ${DEFAULT_CALLS_PER_ANSWER}.`,
  { minimum: 1, maximum: 1_024, distinctive: true },
);

/** How often in a row an agent tells its model of calls that cannot be carried out, unless the node says otherwise. */
export const DEFAULT_MAX_REPAIRS = 3;

export const MAX_REPAIRS = integer(
  `How often in a row the model is told that its tool calls cannot be carried out, because the arguments do not fit or there is no such tool. The next such answer fails the turn with \`invalid_answer\`. Default: ${DEFAULT_MAX_REPAIRS}.`,
  { minimum: 0, maximum: 20, distinctive: true },
);
