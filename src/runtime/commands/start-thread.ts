import type { Json } from '../../../machines/json.ts';
import { keepsNoAnswers, withoutThread } from '../../../machines/validate/threads.ts';
import type { LoadedWorkflow } from '../engine/loading/workflow-cache.ts';
import { RuntimeError, truncated } from '../errors.ts';
import { checkThreadId } from '../threads/threads.ts';

/** Throws `bad_request` if an execution of the workflow cannot be started with the thread. */
export function assertStartThread({ program }: LoadedWorkflow, thread: string, input: Json): void {
  checkThreadId(thread);
  const { workflow, tables } = program;
  const nodes = withoutThread(workflow);
  const refuse = (problem: string): never => {
    throw new RuntimeError('bad_request', `workflow ${truncated(workflow.workflow_id)} ${problem}`);
  };
  if (nodes.length === 0) refuse('has no use for a thread: it has no model or agent without one of its own');
  const kept = nodes.find((node) => keepsNoAnswers(workflow, node));
  if (kept !== undefined)
    refuse(`cannot be started with a thread, which keeps answers: the data policy of node ${kept.id} keeps none`);
  if (tables.dataRules !== null && tables.dataRules.stored([input]).text(thread) !== thread)
    refuse('cannot be started with this thread: its id is personal data by the data policy');
}
