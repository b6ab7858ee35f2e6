import type { Static } from 'typebox';
import { isObject } from '../json.ts';
import type { Fields } from '../reading/fields.ts';
import { Type } from '../type.ts';
import { custom, names, text } from './fields.ts';
import { declareKind, defineKind, type KindOf } from './kind.ts';
import { OUTPUT } from './shared-fields.ts';

const STRATEGIES = ['collect', 'first', 'custom'] as const;

const STRATEGY = { description: 'The strategy.' };
const FUNCTION_REF = Type.String({ description: '`module:function`.' });
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
      { type: Type.Literal('custom', STRATEGY), function_ref: FUNCTION_REF },
      { description: 'Waits for all sources and lets a Python function merge their outputs.' },
    ),
  ],
  { description: 'How the outputs of the sources become one.' },
);
type MergeStrategy = Static<typeof MergeStrategy>;

const JOIN = declareKind({
  type: 'join',
  description: 'Waits for branches and merges their outputs.',
  fields: {
    merge_strategy: custom(
      {
        schema: MergeStrategy,
        document: Type.Union(
          [
            Type.Enum([...STRATEGIES], { description: '`custom` needs `function_ref`.' }),
            MergeStrategy,
            Type.Object(
              { custom: Type.Object({ function_ref: FUNCTION_REF }, { description: 'The function.' }) },
              { description: 'A custom strategy.' },
            ),
            Type.Object(
              { type: Type.Literal('custom', STRATEGY) },
              { description: 'A custom strategy with `function_ref` beside it.' },
            ),
          ],
          { description: 'How the outputs of the sources become one. Default: `collect`.' },
        ),
        read: mergeStrategy,
      },
      { default: { type: 'collect' }, spellings: ['strategy', 'mode'], distinctive: true },
    ),
    function_ref: text('`module:function` of a custom strategy.', { only: 'document and file' }),
    ...OUTPUT,
    wait_for: names('Ids of nodes it waits for besides those that lead to it. Default: none.', {
      names: 'node',
      holds: 'sources',
      distinct: true,
      distinctive: true,
    }),
  },
});
export type Join = KindOf<typeof JOIN>;

export const join = defineKind(JOIN, {
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
  summary: ({ merge_strategy: { type } }) => (type === 'collect' ? 'waits for all' : type === 'first' ? 'first wins' : 'merge'),
  diagramShape: 'join',
  letter: '>',
});

/** The function of a custom join, which gets `{outputs, by_source, state}`; null for the other strategies. */
export function mergeFunction(kind: Pick<Join, 'merge_strategy'>): { module: string; function: string } | null {
  if (kind.merge_strategy.type !== 'custom') return null;
  const reference = kind.merge_strategy.function_ref;
  const colon = reference.lastIndexOf(':');
  return { module: reference.slice(0, colon), function: reference.slice(colon + 1) };
}

/** `"first"`, `{"type": "first"}`, `{"custom": {"function_ref": "m:f"}}`, `{"type": "custom", "function_ref": "m:f"}`. */
function mergeStrategy(fields: Fields, key: string): MergeStrategy | undefined {
  const raw = fields.json(key) ?? 'collect';
  const name = isObject(raw) ? (raw.type ?? Object.keys(raw)[0]) : raw;
  const type = STRATEGIES.find((strategy) => strategy === name);
  if (type === undefined) {
    fields.error('wrong_type', key, 'must be "collect", "first" or {"custom": {"function_ref": "module:function"}}');
    return undefined;
  }
  if (type !== 'custom') return { type };
  const custom = isObject(raw) ? (isObject(raw.custom) ? raw.custom : raw) : {};
  const reference = custom.function_ref ?? fields.json('function_ref');
  if (typeof reference === 'string') {
    // Python code names a function `package.module.function`.
    const functionRef = reference.includes(':') ? reference : reference.replace(/\.([^.]+)$/, ':$1');
    if (/^[^:\s]+:[^:\s]+$/.test(functionRef)) return { type, function_ref: functionRef };
  }
  fields.error('wrong_type', key, 'custom needs a function_ref of the form "module:function"');
  return undefined;
}
