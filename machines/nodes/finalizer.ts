import { type Static, Type } from 'typebox';
import { optional } from '../reading/fields.ts';
import { defineKind, type KindDefinition } from './kind.ts';
import { INPUT_MAPPING, mappingUnlessEmpty } from './shared-fields.ts';
import { WORK_SYNTAX } from './syntax.ts';
import { TOOL_PROPERTIES, toolPayload, toolQueue } from './tool.ts';

const RUN_ON = ['always', 'success', 'failure'] as const;

export const Finalizer = Type.Object(
  {
    type: Type.Literal('finalizer'),
    tool_ref: Type.String({ description: 'Name of the function that is called.' }),
    run_on: Type.Enum(RUN_ON, {
      description:
        '`always`: however the execution ends, also when it is cancelled. `success`: when it has completed. `failure`: when it has failed or reached a limit. Default: `always`.',
    }),
    input_mapping: INPUT_MAPPING,
    output_key: Type.Optional(
      Type.String({ description: 'State key that receives the output. Default: the state does not change.' }),
    ),
    ...TOOL_PROPERTIES,
  },
  {
    description:
      'Calls a function when the execution is about to end. No edges lead to it. Finalizers run one after the other; their failure changes nothing about how the execution ends.',
  },
);
export type Finalizer = Static<typeof Finalizer>;

export const finalizer: KindDefinition<Finalizer> = defineKind<Finalizer>({
  type: 'finalizer',
  schema: Finalizer,
  normalise: (fields) => ({
    type: 'finalizer',
    tool_ref: fields.requiredName('tool_ref'),
    run_on: fields.oneOf(['run_on'], RUN_ON) ?? 'always',
    input_mapping: fields.mapping('input_mapping'),
    ...optional('output_key', fields.stateKey('output_key')),
  }),
  aliases: { tool_ref: ['ref', 'tool'], input_mapping: ['arguments', 'input'], run_on: ['when'] },
  requiredKeys: ['tool_ref'],
  distinctiveKeys: ['run_on'],
  queue: toolQueue,
  policyNames: (kind) => [kind.tool_ref],
  tool: (kind) => kind.tool_ref,
  catalogTool: (kind) => kind.tool_ref,
  withFunction: (kind, named) => ({ ...kind, ...named }),
  mapping: (kind) => mappingUnlessEmpty(kind.input_mapping),
  payload: toolPayload,
  runsAtEnd: (kind) => kind.run_on,
  defaultTimeoutSecs: 30,
  targets: () => [],
  syntax: {
    keys: {
      tool_ref: { holds: 'text', spellings: ['tool', 'ref'] },
      run_on: { holds: 'text' },
      input_mapping: WORK_SYNTAX.input_mapping,
      output_key: WORK_SYNTAX.output_key,
    },
    next: false,
    complete(kind, { id }) {
      kind.tool_ref ??= id;
      kind.run_on ??= 'always';
    },
  },
  summary: ({ tool_ref, run_on }) => `${tool_ref}, ${run_on === 'always' ? 'always' : `on ${run_on}`}`,
  letter: 'z',
});
