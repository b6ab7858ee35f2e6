import { type Static, Type } from 'typebox';
import { isObject } from '../json.ts';
import type { Fields } from '../reading/fields.ts';
import { defineKind, type KindDefinition } from './kind.ts';
import { OUTPUT_PROPERTIES, readOutputFields } from './shared-fields.ts';
import { OUTPUT_SYNTAX } from './syntax.ts';

const STRATEGIES = ['collect', 'first', 'custom'] as const;

const STRATEGY = { description: 'The strategy.' };
const MergeStrategy = Type.Union(
  [
    Type.Object(
      { type: Type.Literal('collect', STRATEGY) },
      { description: 'Waits for all sources and collects their outputs.' },
    ),
    Type.Object(
      { type: Type.Literal('first', STRATEGY) },
      { description: 'Takes the first output and cancels what leads only here.' },
    ),
    Type.Object(
      { type: Type.Literal('custom', STRATEGY), function_ref: Type.String({ description: '`module:function`.' }) },
      { description: 'Waits for all sources and lets a Python function merge their outputs.' },
    ),
  ],
  { description: 'How the outputs of the sources become one.' },
);
type MergeStrategy = Static<typeof MergeStrategy>;

export const Join = Type.Object(
  {
    type: Type.Literal('join'),
    wait_for: Type.Array(Type.String(), {
      description: 'Ids of nodes it waits for besides those that lead to it. Default: none.',
    }),
    merge_strategy: MergeStrategy,
    ...OUTPUT_PROPERTIES,
  },
  { description: 'Waits for branches and merges their outputs.' },
);
export type Join = Static<typeof Join>;

export const join: KindDefinition<Join> = defineKind<Join>({
  type: 'join',
  schema: Join,
  normalise: (fields) => ({
    type: 'join',
    wait_for: [...new Set(fields.names('wait_for'))],
    merge_strategy: mergeStrategy(fields),
    ...readOutputFields(fields),
  }),
  aliases: { merge_strategy: ['strategy', 'mode'] },
  documentProperties: {
    merge_strategy: Type.Union(
      [
        Type.Enum(STRATEGIES, { description: '`custom` needs `function_ref`.' }),
        MergeStrategy,
        Type.Object(
          {
            custom: Type.Object(
              { function_ref: Type.String({ description: '`module:function`.' }) },
              { description: 'The function.' },
            ),
          },
          { description: 'A custom strategy.' },
        ),
        Type.Object(
          { type: Type.Literal('custom', STRATEGY) },
          { description: 'A custom strategy with `function_ref` beside it.' },
        ),
      ],
      { description: 'How the outputs of the sources become one. Default: `collect`.' },
    ),
    function_ref: Type.String({ description: '`module:function` of a custom strategy.' }),
  },
  distinctiveKeys: ['wait_for', 'merge_strategy'],
  behaviour: (kind) => (kind.merge_strategy.type === 'custom' ? 'work' : 'control'),
  queue: (kind) => (kind.merge_strategy.type === 'custom' ? 'python_tool' : null),
  policyNames: (kind) => {
    const merge = mergeFunction(kind);
    return merge === null ? [] : [`${merge.module}.${merge.function}`, merge.function];
  },
  payload: (kind, input) => ({ ...mergeFunction(kind), input }),
  objectResultIsPatch: true,
  joins: (kind) => (kind.merge_strategy.type === 'first' ? 'first' : 'all'),
  waitsForNodes: (kind) => kind.wait_for,
  syntax: {
    keys: {
      merge_strategy: { holds: 'json', spellings: ['strategy'] },
      function_ref: { holds: 'text' },
      ...OUTPUT_SYNTAX,
      wait_for: { holds: 'sources' },
    },
  },
  summary: ({ merge_strategy: { type } }) => (type === 'collect' ? 'waits for all' : type === 'first' ? 'first wins' : 'merge'),
  diagramShape: 'join',
  letter: '>',
});

/** The function of a custom join, which gets `{outputs, by_source, state}`; null for the other strategies. */
export function mergeFunction(kind: Join): { module: string; function: string } | null {
  if (kind.merge_strategy.type !== 'custom') return null;
  const reference = kind.merge_strategy.function_ref;
  const colon = reference.lastIndexOf(':');
  return { module: reference.slice(0, colon), function: reference.slice(colon + 1) };
}

/** `"first"`, `{"type": "first"}`, `{"custom": {"function_ref": "m:f"}}`, `{"type": "custom", "function_ref": "m:f"}`. */
function mergeStrategy(fields: Fields): MergeStrategy {
  const raw = fields.json('merge_strategy') ?? 'collect';
  const name = isObject(raw) ? (raw.type ?? Object.keys(raw)[0]) : raw;
  const type = STRATEGIES.find((strategy) => strategy === name);
  if (type === undefined) {
    fields.error('wrong_type', 'merge_strategy', 'must be "collect", "first" or {"custom": {"function_ref": "module:function"}}');
    return { type: 'collect' };
  }
  if (type !== 'custom') return { type };
  const custom = isObject(raw) ? (isObject(raw.custom) ? raw.custom : raw) : {};
  const reference = custom.function_ref ?? fields.json('function_ref');
  if (typeof reference === 'string') {
    // Python code names a function `package.module.function`.
    const functionRef = reference.includes(':') ? reference : reference.replace(/\.([^.]+)$/, ':$1');
    if (/^[^:\s]+:[^:\s]+$/.test(functionRef)) return { type, function_ref: functionRef };
  }
  fields.error('wrong_type', 'merge_strategy', 'custom needs a function_ref of the form "module:function"');
  return { type: 'collect' };
}
