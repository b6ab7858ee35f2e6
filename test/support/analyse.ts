import { runToEnd } from '../../machines/cooperative.ts';
import { analyseCooperatively } from '../../machines/graph/index.ts';
import type { Workflow } from '../../machines/ir/workflow.ts';

/** `analyseCooperatively`, all at once. */
export function analyse(workflow: Workflow) {
  return runToEnd(analyseCooperatively(workflow));
}
