import { choice, stateKey } from './fields.ts';
import { declareKind, defineKind } from './kind.ts';
import { INPUT_MAPPING, TOOL_REF } from './shared-fields.ts';
import { TOOL_FUNCTION, toolPayload, toolQueue } from './tool.ts';

const RUN_ON = ['always', 'success', 'failure'] as const;

const FINALIZER = declareKind({
  type: 'finalizer',
  description:
    'Calls a function when the execution is about to end. No edges lead to it. Finalizers run one after the other; their failure changes nothing about how the execution ends.',
  next: false,
  fields: {
    tool_ref: TOOL_REF,
    run_on: choice(
      RUN_ON,
      '`always`: however the execution ends, also when it is cancelled. `success`: when it has completed. `failure`: when it has failed or reached a limit. Default: `always`.',
      { default: 'always', spellings: ['run_on', 'when'], distinctive: true },
    ),
    input_mapping: INPUT_MAPPING,
    output_key: stateKey('State key that receives the output. Default: the state does not change.'),
    ...TOOL_FUNCTION,
  },
});

export const finalizer = defineKind(FINALIZER, {
  queue: toolQueue,
  policyNames: (kind) => [kind.tool_ref],
  tool: (kind) => kind.tool_ref,
  catalogTool: (kind) => kind.tool_ref,
  withFunction: (kind, named) => ({ ...kind, ...named }),
  payload: toolPayload,
  runsAtEnd: (kind) => kind.run_on,
  defaultTimeoutSecs: 30,
  complete(kind, { id }) {
    kind.tool_ref ??= id;
    kind.run_on ??= 'always';
  },
  summary: ({ tool_ref, run_on }) => `${tool_ref}, ${run_on === 'always' ? 'always' : `on ${run_on}`}`,
  letter: 'z',
});
