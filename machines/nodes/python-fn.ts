import { name, readBy } from './fields.ts';
import { declareKind, defineKind } from './kind.ts';
import { INPUT_MAPPING, OUTPUT, UNCHECKED_SCHEMA } from './shared-fields.ts';

/** The function of the Python SDK's agent loop that calls the tools which a model has asked for. */
const TOOL_DISPATCH = { module: 'jamjet.agents.tool_runtime', function: 'dispatch_tool_calls' };

function isDispatch(kind: { readonly module?: unknown; readonly function?: unknown }): boolean {
  return kind.module === TOOL_DISPATCH.module && kind.function === TOOL_DISPATCH.function;
}

const PYTHON_FN = declareKind({
  type: 'python_fn',
  description: 'A Python function, called by an external worker.',
  fields: {
    module: name('Dotted name of the module.', { required: true }),
    function: name('Name of the function in the module.', { required: true }),
    // The SDK's agent loop writes an `input` that its workers do not expect.
    input_mapping: readBy(INPUT_MAPPING, (usual, fields, key) =>
      isDispatch(fields.raw) ? fields.withAliases({ [key]: ['arguments'] }).mapping(key) : usual(),
    ),
    output_schema: UNCHECKED_SCHEMA,
    ...OUTPUT,
  },
});

export const pythonFn = defineKind(PYTHON_FN, {
  queue: () => 'python_tool',
  policyNames: (kind) => [`${kind.module}.${kind.function}`, kind.function],
  toolCalls: (kind) => (isDispatch(kind) ? 'last_model_tool_calls' : null),
  payload: (kind, input) => ({ module: kind.module, function: kind.function, input }),
  objectResultIsPatch: true,
  diagramShape: 'python_fn',
});
