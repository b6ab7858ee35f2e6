import { isObject, type JsonObject } from '../json.ts';
import { MAX_NAME_LENGTH } from '../limits.ts';
import type { Fields } from '../reading/fields.ts';
import { Type } from '../type.ts';
import type { Nested } from './field.ts';
import { documentSchema, objectSchema } from './field-tables.ts';
import { custom, name, target } from './fields.ts';
import { declareKind, defineKind, type NodeBranch } from './kind.ts';

const BRANCHES = 'Tried in this order. Default: none; the out-edges of the node are the choice then.';

const BRANCH = {
  condition: custom(
    {
      schema: Type.Union([Type.String(), Type.Null()]),
      document: Type.Unsafe<string | null>({
        type: 'string',
        description: 'An expression. Absent or null: taken when no other matches.',
      }),
      read: (fields: Fields, key: string) => fields.text(key) ?? null,
    },
    { spellings: ['if', 'when', 'condition'] },
  ),
  target: name('Node id, or `end`.', { required: true, names: 'target', spellings: ['next', 'to', 'target'] }),
};

const CONDITION = declareKind({
  type: 'condition',
  description: 'Takes the first branch whose condition holds.',
  attempts: false,
  fields: {
    branches: custom(
      {
        schema: Type.Array(objectSchema(BRANCH, 'A branch.')),
        document: Type.Unsafe<readonly Nested<typeof BRANCH>[]>(
          Type.Array(documentSchema(BRANCH, 'A branch.'), { description: BRANCHES }),
        ),
        holds: 'choices',
        read: branches,
      },
      { default: () => [], spellings: ['branches', 'conditions'], distinctive: true },
    ),
    default: target('Node id, or `end`: the branch that is taken when no other matches.', {
      only: 'document',
      spellings: ['default', 'else'],
      distinctive: true,
    }),
  },
});

export const condition = defineKind(CONDITION, {
  behaviour: () => 'control',
  targets: (kind) => kind.branches.map((branch) => ({ role: 'branch', to: branch.target })),
  branching: 'choice',
  branches: (kind) => kind.branches,
  testReplies: 'none',
  forwardsInput: true,
  diagramShape: 'condition',
  letter: '?',
});

function branches(fields: Fields, key: string): NodeBranch[] {
  const list = fields.list(key) ?? [];
  const read = list.flatMap((raw, i): NodeBranch[] => {
    if (!isObject(raw)) {
      fields.error('wrong_type', `${key}[${i}]`, 'must be an object {condition, target}');
      return [];
    }
    if (isPlain(raw)) return [{ condition: raw.condition, target: raw.target }];
    const branch = fields.inside(`${key}[${i}]`, raw);
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
