import { durationText } from '../duration.ts';
import { seconds, target, text } from './fields.ts';
import { declareKind, defineKind, millisecondsOf } from './kind.ts';
import { OUTPUT } from './shared-fields.ts';

const HUMAN_APPROVAL = declareKind({
  type: 'human_approval',
  description: 'Parks until a person approves or rejects.',
  attempts: false,
  fields: {
    on_approved: target('Node id, or `end`. Default: the edges of the node.', { distinctive: true }),
    on_rejected: target('Node id, or `end`. Default: the edges of the node if they can tell, else the node fails.', {
      distinctive: true,
    }),
    on_timeout: target('Node id, or `end`. Default: `fallback_node`, else the node fails.', {
      words: ['approve', 'reject'],
      distinctive: true,
    }),
    ...OUTPUT,
    timeout_secs: seconds('Time until it times out. Default: `timeouts.approval_timeout` of the workflow, else no limit.', {
      otherwise: (_, { approvalTimeoutSecs }) => approvalTimeoutSecs,
      spellings: ['timeout'],
      distinctive: true,
    }),
    description: text('What is to be decided; may hold templates. Default: a text with the node id.', {
      default: ({ location }) => defaultDescription(location.node_id),
      spellings: ['message', 'prompt', 'prompt_template'],
      ofNode: 'description',
    }),
  },
});

export const humanApproval = defineKind(HUMAN_APPROVAL, {
  behaviour: () => 'approval',
  startTemplate: (kind) => ({ key: 'description', template: kind.description }),
  parkTimeout: ({ timeout_secs }) => millisecondsOf(timeout_secs),
  outcomeEdgeHint: (kind) =>
    kind.on_approved === undefined ? 'to go there when it is approved, name it in on_approved too' : null,
  complete(kind, { id }) {
    kind.description ??= defaultDescription(id);
  },
  testReplies: 'decision',
  summary: ({ timeout_secs }) => (timeout_secs === undefined ? 'approval' : `approval, ${durationText(timeout_secs * 1_000)}`),
  diagramShape: 'human_approval',
  letter: 'a',
});

function defaultDescription(id: string | null): string {
  return `Approval required for ${id}`;
}
