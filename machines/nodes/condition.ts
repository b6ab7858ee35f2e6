import { type Static, Type } from 'typebox';
import { isObject, type JsonObject } from '../json.ts';
import { MAX_NAME_LENGTH } from '../limits.ts';
import type { Fields } from '../reading/fields.ts';
import { defineKind, type KindDefinition } from './kind.ts';

const Branch = Type.Object({
  condition: Type.Union([Type.String(), Type.Null()], {
    description: 'An expression; null for the branch that is taken when no other matches.',
  }),
  target: Type.String({ description: 'Node id, or `end`.' }),
});
type Branch = Static<typeof Branch>;

export const Condition = Type.Object(
  {
    type: Type.Literal('condition'),
    branches: Type.Array(Branch, {
      description: 'Tried in this order. Default: none; the out-edges of the node are the choice then.',
    }),
  },
  { description: 'Takes the first branch whose condition holds.' },
);
export type Condition = Static<typeof Condition>;

export const condition: KindDefinition<Condition> = defineKind<Condition>({
  type: 'condition',
  schema: Condition,
  normalise: (fields) => ({ type: 'condition', branches: branches(fields) }),
  aliases: { branches: ['conditions'] },
  documentProperties: {
    branches: Type.Array(
      Type.Object(
        {
          condition: Type.Optional(
            Type.Union([Type.String(), Type.Null()], {
              description: 'An expression. Absent or null: taken when no other matches.',
            }),
          ),
          when: Type.Optional(Type.Union([Type.String(), Type.Null()], { description: 'The same as `condition`.' })),
          if: Type.Optional(Type.Union([Type.String(), Type.Null()], { description: 'The same as `condition`.' })),
          target: Type.Optional(Type.String({ description: 'Node id, or `end`.' })),
          next: Type.Optional(Type.String({ description: 'The same as `target`.' })),
          to: Type.Optional(Type.String({ description: 'The same as `target`.' })),
        },
        { anyOf: [{ required: ['target'] }, { required: ['next'] }, { required: ['to'] }] },
      ),
      { description: 'Tried in this order. Default: none; the out-edges of the node are the choice then.' },
    ),
    default: Type.String({ description: 'Node id, or `end`: the branch that is taken when no other matches.' }),
  },
  distinctiveKeys: ['branches', 'default'],
  behaviour: () => 'control',
  targets: (kind) => kind.branches.map((branch) => ({ role: 'branch', to: branch.target })),
  branching: 'choice',
  branches: (kind) => kind.branches,
  syntax: { keys: { branches: { holds: 'choices', spellings: ['branches', 'conditions'] } }, attempts: false },
  testReplies: 'none',
  forwardsInput: true,
  diagramShape: 'condition',
  letter: '?',
});

function branches(fields: Fields): Branch[] {
  const list = fields.list('branches') ?? [];
  const read = list.flatMap((raw, i): Branch[] => {
    if (!isObject(raw)) {
      fields.error('wrong_type', `branches[${i}]`, 'must be an object {condition, target}');
      return [];
    }
    if (isPlain(raw)) return [{ condition: raw.condition, target: raw.target }];
    const branch = fields.inside(`branches[${i}]`, raw);
    return [{ condition: branch.text('condition', 'when', 'if') ?? null, target: branch.requiredName('target', 'next', 'to') }];
  });
  const otherwise = fields.name('default');
  return otherwise === undefined ? read : [...read, { condition: null, target: otherwise }];
}

/** In normal form already, as it is in most documents: there may be thousands of branches. */
function isPlain(raw: JsonObject): raw is JsonObject & { readonly condition: string; readonly target: string } {
  const { condition, target } = raw;
  if (typeof condition !== 'string' || typeof target !== 'string' || condition === '' || target === '') return false;
  return target.length <= MAX_NAME_LENGTH && Object.keys(raw).length === 2;
}
