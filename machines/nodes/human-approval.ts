import { type Static, Type } from 'typebox';
import { durationText } from '../duration.ts';
import { optional } from '../reading/fields.ts';
import { defineKind, type KindDefinition } from './kind.ts';
import { duration, namedTargets, OUTPUT_PROPERTIES, readOutputFields } from './shared-fields.ts';
import { OUTPUT_SYNTAX } from './syntax.ts';

export const HumanApproval = Type.Object(
  {
    type: Type.Literal('human_approval'),
    description: Type.String({ description: 'What is to be decided; may hold templates. Default: a text with the node id.' }),
    timeout_secs: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description: 'Seconds until it times out. Default: `timeouts.approval_timeout` of the workflow, else no limit.',
      }),
    ),
    on_approved: Type.Optional(Type.String({ description: 'Node id, or `end`. Default: the edges of the node.' })),
    on_rejected: Type.Optional(
      Type.String({ description: 'Node id, or `end`. Default: the edges of the node if they can tell, else the node fails.' }),
    ),
    on_timeout: Type.Optional(Type.String({ description: 'Node id, or `end`. Default: `fallback_node`, else the node fails.' })),
    ...OUTPUT_PROPERTIES,
  },
  { description: 'Parks until a person approves or rejects.' },
);
export type HumanApproval = Static<typeof HumanApproval>;

export const humanApproval: KindDefinition<HumanApproval> = defineKind<HumanApproval>({
  type: 'human_approval',
  schema: HumanApproval,
  normalise: (fields, { approvalTimeoutSecs }) => ({
    type: 'human_approval',
    description: fields.text('description') ?? `Approval required for ${fields.location.node_id}`,
    ...optional('timeout_secs', fields.seconds(['timeout_secs']) ?? approvalTimeoutSecs),
    ...optional('on_approved', fields.name('on_approved')),
    ...optional('on_rejected', fields.name('on_rejected')),
    ...optional('on_timeout', fields.name('on_timeout')),
    ...readOutputFields(fields),
  }),
  aliases: { description: ['message', 'prompt'], timeout_secs: ['timeout'] },
  documentProperties: {
    timeout_secs: duration('Time until it times out. Default: `timeouts.approval_timeout` of the workflow, else no limit.'),
  },
  distinctiveKeys: ['on_approved', 'on_rejected', 'on_timeout', 'timeout_secs'],
  behaviour: () => 'approval',
  prompt: (kind) => ({ key: 'description', template: kind.description }),
  targets: (kind) => namedTargets(kind, 'on_approved', 'on_rejected', 'on_timeout', 'fallback_node'),
  parkTimeoutMs: ({ timeout_secs }) => (timeout_secs === undefined ? null : Math.round(timeout_secs * 1000)),
  outcomeEdgeHint: (kind) =>
    kind.on_approved === undefined ? 'to go there when it is approved, name it in on_approved too' : null,
  syntax: {
    keys: {
      on_approved: { holds: 'target' },
      on_rejected: { holds: 'target' },
      on_timeout: { holds: 'target' },
      ...OUTPUT_SYNTAX,
      timeout_secs: { holds: 'duration', spellings: ['timeout'] },
      description: { holds: 'text', spellings: ['message', 'prompt', 'prompt_template'], fallback: 'description' },
    },
    attempts: false,
    complete(kind, { id }) {
      kind.description ??= `Approval required for ${id}`;
    },
  },
  testReplies: 'decision',
  summary: ({ timeout_secs }) => (timeout_secs === undefined ? 'approval' : `approval, ${durationText(timeout_secs * 1_000)}`),
  diagramShape: 'human_approval',
  letter: 'a',
});
