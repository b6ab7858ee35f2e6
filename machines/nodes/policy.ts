import { isObject, type Json } from '../json.ts';
import type { Fields } from '../reading/fields.ts';
import { Type } from '../type.ts';
import type { Named } from './field.ts';
import { custom, name, target, text } from './fields.ts';
import { declareKind, defineKind, type KindOf } from './kind.ts';
import { OUTPUT } from './shared-fields.ts';

const ON_VIOLATION = ['fail', 'warn'] as const;
type OnViolation = (typeof ON_VIOLATION)[number];

const POLICY = declareKind({
  type: 'policy',
  description:
    'Asks a policy. Its output is `{decision, rule, subject}`; what requires an approval is held until a person decides.',
  attempts: false,
  fields: {
    policy_ref: name('Name of a policy in `policies`, or `tenant`: the policy of the tenant.', {
      required: true,
      names: 'policy',
      words: ['tenant'],
      spellings: ['policy_ref', 'ref'],
      distinctive: true,
    }),
    on_violation: custom(
      {
        schema: Type.Enum([...ON_VIOLATION]),
        document: Type.Unsafe<OnViolation | { readonly branch: { readonly target: Named<'target'> } }>(
          Type.Union(
            [
              Type.Enum([...ON_VIOLATION], {
                description:
                  '`fail`: a block fails the node, unless `on_blocked`, a conditional edge or a condition node after it takes it. `warn`: a block is logged, and the node completes.',
              }),
              Type.Object(
                {
                  branch: Type.Object(
                    { target: Type.String({ description: 'Node id, or `end`.' }) },
                    { description: 'The branch.' },
                  ),
                },
                { description: 'The same as `on_blocked`.' },
              ),
            ],
            { description: 'What follows from a block. Default: `fail`.' },
          ),
        ),
        read: onViolation,
      },
      { default: 'fail', distinctive: true },
    ),
    subject: custom(
      {
        schema: Type.Array(Type.String()),
        document: Type.Union([Type.String(), Type.Array(Type.String())], {
          description:
            'Names of tools that are judged; may hold templates. Default: the policy names of the nodes that it leads to.',
        }),
        read: subjectOf,
      },
      { rendered: true },
    ),
    model: text('Name of a model that is judged; may hold templates. Default: none.', { rendered: true }),
    on_blocked: target('Node id, or `end`: where a block leads. Default: the edges of the node.', {
      otherwise: branchOf,
      distinctive: true,
    }),
    ...OUTPUT,
  },
});
export type Policy = KindOf<typeof POLICY>;

export const policy = defineKind(POLICY, {
  behaviour: () => 'judge',
  testReplies: 'decision',
  summary: ({ policy_ref }) => `asks ${policy_ref}`,
  diagramShape: 'condition',
  letter: 'p',
});

/** `"fail"`, `"warn"`, `{"branch": {"target": "…"}}`. */
function onViolation(fields: Fields, key: string): OnViolation | undefined {
  const given = fields.json(key);
  const known = ON_VIOLATION.find((choice) => choice === given);
  if (given !== undefined && known === undefined && !(isObject(given) && isObject(given.branch ?? null)))
    fields.error('wrong_type', key, 'must be "fail", "warn" or {"branch": {"target": …}}');
  return known;
}

/** The target of `on_violation: {branch: {target}}`. */
function branchOf(fields: Fields): string | undefined {
  const given = fields.json('on_violation') ?? null;
  const branch = (isObject(given) ? given.branch : null) ?? null;
  return isObject(branch) ? fields.inside('on_violation.branch', branch).name('target') : undefined;
}

function subjectOf(fields: Fields, key: string): string[] | undefined {
  const given = fields.json(key);
  if (given === undefined) return undefined;
  const list: readonly Json[] = Array.isArray(given) ? (given as readonly Json[]) : [given];
  const texts = list.filter((one) => typeof one === 'string' && one !== '') as string[];
  if (texts.length === list.length && texts.length > 0) return texts;
  fields.error('wrong_type', key, 'must be a text or a list of texts');
  return undefined;
}
