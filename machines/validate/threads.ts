import type { Node, Workflow } from '../ir/workflow.ts';
import { hasModel } from '../nodes/agent.ts';
import { definitionOf, workKindOf } from '../nodes/index.ts';
import { DEFAULT_MAX_MESSAGES, type ThreadFields } from '../nodes/threads.ts';
import type { Problems } from '../reading/problems.ts';

/** What has a meaning with a thread alone. */
const OF_THREADS = ['max_messages', 'summarise'] as const;

/** Nodes that ask a model and have no thread of their own: they continue the one with which an execution is started. */
export function withoutThread({ nodes }: Workflow): readonly Node[] {
  return nodes.filter(({ kind }) => {
    const work = workKindOf(kind);
    const asksModel = work.type === 'model' || (work.type === 'agent' && hasModel(work));
    return asksModel && work.thread === undefined;
  });
}

/** Does the data policy of the node keep no outputs, so that no thread may have them? */
export function keepsNoAnswers({ data_policy: ofWorkflow }: Workflow, { data_policy: own }: Node): boolean {
  return (own ?? ofWorkflow)?.retain_outputs === false;
}

/**
 * Refuses a thread where the data policy keeps no answers, and other threads of agents that share a conversation; warns of what is said of a thread that
 * is not there.
 */
export function checkThreads(workflow: Workflow, problems: Problems): void {
  const threadOf = new Map(workflow.nodes.map(({ id, kind }) => [id, (kind as ThreadFields).thread]));
  for (const node of workflow.nodes) {
    const { id, kind } = node;
    const fields = workKindOf(kind) as ThreadFields;
    const { thread, max_messages: maxMessages = DEFAULT_MAX_MESSAGES, summarise } = fields;
    const at = (key: string) => ({ node_id: id, path: `nodes.${id}.${key}` });
    // An agent without a thread has a conversation, of which it keeps so many.
    const hasConversation = definitionOf(kind).conversation(kind) !== null;
    for (const key of OF_THREADS)
      if (thread === undefined && fields[key] !== undefined && !(hasConversation && key === 'max_messages'))
        problems.warning('no_thread', `node "${id}" has ${key}, but no thread`, {
          ...at(key),
          hint: 'it counts only in executions that are started with a thread',
        });
    if (summarise !== undefined && summarise.keep >= maxMessages)
      problems.error('out_of_range', `node "${id}": summarise.keep must be less than max_messages, which is ${maxMessages}`, {
        ...at('summarise.keep'),
        hint: 'the difference says how many messages each summary takes in',
      });
    for (const { agent } of ('handoff' in kind && kind.handoff) || [])
      if (threadOf.has(agent) && threadOf.get(agent) !== thread)
        problems.error(
          'other_thread',
          `node "${id}" hands its conversation over to "${agent}", which is to continue another thread`,
          {
            ...at('handoff'),
            hint: 'give both the same thread, or neither',
          },
        );
    if (thread === undefined || !keepsNoAnswers(workflow, node)) continue;
    problems.error('thread_not_retained', `node "${id}" has a thread, which keeps its answers, but its data policy keeps none`, {
      ...at('thread'),
      hint: 'set retain_outputs to true, or remove the thread',
    });
  }
}
