import { type Static, Type } from 'typebox';
import type { Fields } from '../ir/reading/fields.ts';
import { isObject } from '../json.ts';
import { COMMON_PROPERTIES, type KindDefinition, namedTargets, readCommonFields } from './kind.ts';

const STRATEGIES = ['collect', 'first', 'custom'] as const;

const MergeStrategy = Type.Union([
  Type.Object({ type: Type.Literal('collect') }),
  Type.Object({ type: Type.Literal('first') }),
  /** `function_ref` is `module:function`. */
  Type.Object({ type: Type.Literal('custom'), function_ref: Type.String() }),
]);
type MergeStrategy = Static<typeof MergeStrategy>;

/** Waits for branches: for all and collects their outputs, for the first alone, or lets a function merge them. */
export const Join = Type.Object({
  type: Type.Literal('join'),
  wait_for: Type.Array(Type.String()),
  merge_strategy: MergeStrategy,
  ...COMMON_PROPERTIES,
});
export type Join = Static<typeof Join>;

export const join: KindDefinition<Join> = {
  type: 'join',
  schema: Join,
  normalise: (fields) => ({
    type: 'join',
    wait_for: [...new Set(fields.names('wait_for'))],
    merge_strategy: mergeStrategy(fields),
    ...readCommonFields(fields),
  }),
  behaviour: (kind) => (kind.merge_strategy.type === 'custom' ? 'work' : 'control'),
  queue: (kind) => (kind.merge_strategy.type === 'custom' ? 'python_tool' : null),
  policyNames: (kind) => {
    const merge = mergeFunction(kind);
    return merge === null ? [] : [`${merge.module}.${merge.function}`, merge.function];
  },
  tool: () => null,
  targets: (kind) => namedTargets(kind, 'fallback_node'),
  mapping: () => null,
  payload: (kind, input) => ({ ...mergeFunction(kind), input }),
  objectResultIsPatch: true,
};

/** The function of a custom join, which gets `{outputs, by_source, state}`; null for the other strategies. */
export function mergeFunction(kind: Join): { module: string; function: string } | null {
  if (kind.merge_strategy.type !== 'custom') return null;
  const reference = kind.merge_strategy.function_ref;
  const colon = reference.lastIndexOf(':');
  return { module: reference.slice(0, colon), function: reference.slice(colon + 1) };
}

/** `"first"`, `{"type": "first"}`, `{"custom": {"function_ref": "m:f"}}`, `{"type": "custom", "function_ref": "m:f"}`. */
function mergeStrategy(fields: Fields): MergeStrategy {
  const raw = fields.json('merge_strategy', 'strategy', 'mode') ?? 'collect';
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
    // `package.module.function` is how Python code names it.
    const functionRef = reference.includes(':') ? reference : reference.replace(/\.([^.]+)$/, ':$1');
    if (/^[^:\s]+:[^:\s]+$/.test(functionRef)) return { type, function_ref: functionRef };
  }
  fields.error('wrong_type', 'merge_strategy', 'custom needs a function_ref of the form "module:function"');
  return { type: 'collect' };
}
