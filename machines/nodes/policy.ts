import { type Static, Type } from 'typebox';
import { isObject, type Json } from '../json.ts';
import { type Fields, optional } from '../reading/fields.ts';
import { defineKind, type KindDefinition } from './kind.ts';
import { namedTargets, OUTPUT_PROPERTIES, readOutputFields } from './shared-fields.ts';
import { OUTPUT_SYNTAX } from './syntax.ts';

const ON_VIOLATION = ['fail', 'warn'] as const;

export const Policy = Type.Object(
  {
    type: Type.Literal('policy'),
    policy_ref: Type.String({ description: 'Name of a policy in `policies`, or `tenant`: the policy of the tenant.' }),
    on_violation: Type.Enum(ON_VIOLATION, {
      description:
        '`fail`: a block fails the node, unless `on_blocked`, a conditional edge or a condition node after it takes it. `warn`: a block is logged, and the node completes.',
    }),
    subject: Type.Optional(
      Type.Array(Type.String(), {
        description:
          'Names of tools that are judged; may hold templates. Default: the policy names of the nodes that it leads to.',
      }),
    ),
    model: Type.Optional(Type.String({ description: 'Name of a model that is judged; may hold templates. Default: none.' })),
    on_blocked: Type.Optional(
      Type.String({ description: 'Node id, or `end`: where a block leads. Default: the edges of the node.' }),
    ),
    ...OUTPUT_PROPERTIES,
  },
  {
    description:
      'Asks a policy. Its output is `{decision, rule, subject}`; what requires an approval is held until a person decides.',
  },
);
export type Policy = Static<typeof Policy>;

export const policy: KindDefinition<Policy> = defineKind<Policy>({
  type: 'policy',
  schema: Policy,
  normalise: (fields) => {
    const { on_violation, target } = onViolation(fields);
    return {
      type: 'policy',
      policy_ref: fields.requiredName('policy_ref'),
      on_violation,
      ...optional('subject', subjectOf(fields)),
      ...optional('model', fields.text('model')),
      ...optional('on_blocked', fields.name('on_blocked') ?? target),
      ...readOutputFields(fields),
    };
  },
  aliases: { policy_ref: ['ref'] },
  requiredKeys: ['policy_ref'],
  documentProperties: {
    on_violation: Type.Union(
      [
        Type.Enum(ON_VIOLATION, { description: 'Default: `fail`.' }),
        Type.Object(
          { branch: Type.Object({ target: Type.String({ description: 'Node id, or `end`.' }) }, { description: 'The branch.' }) },
          { description: 'The same as `on_blocked`.' },
        ),
      ],
      { description: 'What follows from a block.' },
    ),
    subject: Type.Union([Type.String(), Type.Array(Type.String())], {
      description: 'Names of tools that are judged; may hold templates. Default: the policy names of the nodes that it leads to.',
    }),
  },
  distinctiveKeys: ['policy_ref', 'on_violation', 'on_blocked'],
  behaviour: () => 'judge',
  mapping: ({ subject, model }) =>
    subject === undefined && model === undefined ? null : { ...optional('subject', subject), ...optional('model', model) },
  mappingKey: null,
  targets: (kind) => namedTargets(kind, 'on_blocked', 'fallback_node'),
  syntax: {
    keys: {
      policy_ref: { holds: 'text', spellings: ['policy_ref', 'ref'] },
      on_violation: { holds: 'json' },
      subject: { holds: 'json' },
      model: { holds: 'text' },
      on_blocked: { holds: 'target' },
      ...OUTPUT_SYNTAX,
    },
    attempts: false,
  },
  testReplies: 'decision',
  summary: ({ policy_ref }) => `asks ${policy_ref}`,
  diagramShape: 'condition',
  letter: 'p',
});

/** `"fail"`, `"warn"`, `{"branch": {"target": "…"}}`. */
function onViolation(fields: Fields): { readonly on_violation: Policy['on_violation']; readonly target?: string } {
  const given = fields.json('on_violation') ?? 'fail';
  const known = ON_VIOLATION.find((choice) => choice === given);
  if (known !== undefined) return { on_violation: known };
  const branch = isObject(given) ? given.branch : null;
  if (isObject(branch))
    return { on_violation: 'fail', ...optional('target', fields.inside('on_violation.branch', branch).name('target')) };
  fields.error('wrong_type', 'on_violation', 'must be "fail", "warn" or {"branch": {"target": …}}');
  return { on_violation: 'fail' };
}

function subjectOf(fields: Fields): string[] | undefined {
  const given = fields.json('subject');
  if (given === undefined) return undefined;
  const list: readonly Json[] = Array.isArray(given) ? (given as readonly Json[]) : [given];
  const texts = list.filter((one) => typeof one === 'string' && one !== '') as string[];
  if (texts.length === list.length && texts.length > 0) return texts;
  fields.error('wrong_type', 'subject', 'must be a text or a list of texts');
  return undefined;
}
