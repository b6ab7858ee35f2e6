import type { Workflow } from '../ir/workflow.ts';
import { workKindOf } from '../nodes/index.ts';
import type { ThreadFields } from '../nodes/shared-fields.ts';
import type { Problems } from '../reading/problems.ts';

/** Refuses a thread where the data policy keeps no answers, and warns of what is said of a thread that is not there. */
export function checkThreads({ nodes, data_policy: ofWorkflow }: Workflow, problems: Problems): void {
  for (const { id, kind, data_policy: own } of nodes) {
    const { thread, max_messages } = workKindOf(kind) as ThreadFields;
    if (thread === undefined && max_messages !== undefined)
      problems.warning('no_thread', `node "${id}" has max_messages, but no thread`, {
        node_id: id,
        path: `nodes.${id}.max_messages`,
      });
    if (thread === undefined || (own ?? ofWorkflow)?.retain_outputs !== false) continue;
    problems.error('thread_not_retained', `node "${id}" has a thread, which keeps its answers, but its data policy keeps none`, {
      ...{ node_id: id, path: `nodes.${id}.thread` },
      hint: 'set retain_outputs to true, or remove the thread',
    });
  }
}
