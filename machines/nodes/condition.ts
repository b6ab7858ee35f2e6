import { type Static, Type } from 'typebox';
import type { Fields } from '../ir/reading/fields.ts';
import { isObject } from '../json.ts';
import type { KindDefinition } from './kind.ts';

const Branch = Type.Object({
  /** An expression; null = taken when no other branch matches. */
  condition: Type.Union([Type.String(), Type.Null()]),
  target: Type.String(),
});
type Branch = Static<typeof Branch>;

/** Chooses one way. Without branches its out-edges are the choice. */
export const Condition = Type.Object({
  type: Type.Literal('condition'),
  /** In the order they are tried. */
  branches: Type.Array(Branch),
});
export type Condition = Static<typeof Condition>;

export const condition: KindDefinition<Condition> = {
  type: 'condition',
  schema: Condition,
  normalise: (fields) => ({ type: 'condition', branches: branches(fields) }),
  behaviour: () => 'control',
  queue: () => null,
  policyNames: () => [],
  tool: () => null,
  targets: (kind) => kind.branches.map((branch) => ({ role: 'branch', to: branch.target })),
  mapping: () => null,
  payload: () => ({}),
  objectResultIsPatch: false,
};

function branches(fields: Fields): Branch[] {
  const list = fields.list('branches', 'conditions') ?? [];
  const read = list.flatMap((raw, i): Branch[] => {
    if (!isObject(raw)) {
      fields.error('wrong_type', `branches[${i}]`, 'must be an object {condition, target}');
      return [];
    }
    const branch = fields.inside(`branches[${i}]`, raw);
    return [{ condition: branch.text('condition', 'when', 'if') ?? null, target: branch.requiredName('target', 'next', 'to') }];
  });
  const otherwise = fields.name('default');
  return otherwise === undefined ? read : [...read, { condition: null, target: otherwise }];
}
