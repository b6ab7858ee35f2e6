import type { Graph } from '../graph/graph.ts';
import { isEndless, loopsWithoutBound, roundAvoids } from '../graph/loop-bounds.ts';
import type { Loop } from '../graph/loops.ts';
import type { Continuation, Node, Workflow } from '../ir/workflow.ts';
import { DEFAULT_STEP_LIMIT } from '../limits.ts';
import { definitionOf } from '../nodes/index.ts';
import type { ThreadFields } from '../nodes/threads.ts';
import type { Problems } from '../reading/problems.ts';
import { shortened } from '../shortened.ts';
import { didYouMean } from '../suggest.ts';

const PATH = 'continue_as_new';
const AT = `${PATH}.at`;

/** Checks where an execution continues as another one, and that a loop that nothing leads out of does so. `graph` is null when it has errors. */
export function checkLongLife(workflow: Workflow, graph: Graph | null, problems: Problems): void {
  const { continuation, max_steps } = workflow;
  if (continuation !== null) checkContinuation(workflow, continuation, graph, problems);
  else if (graph !== null && max_steps === null) endlessLoops(graph, problems);
}

function endlessLoops(graph: Graph, problems: Problems): void {
  for (const loop of loopsWithoutBound(graph)) {
    if (!isEndless(loop, graph)) continue;
    const node_id = graph.idOf(loop.head);
    const message = `nothing leads out of the loop of ${namesOf(loop, graph)}: the execution fails at the limit of its steps`;
    const hint = `add continue_as_new: { after_steps: 5000, at: ${node_id} }, max_steps, or an edge out of it`;
    problems.warning('loop_without_bound', message, { node_id, path: `nodes.${node_id}`, hint });
  }
}

function checkContinuation(workflow: Workflow, continuation: Continuation, graph: Graph | null, problems: Problems): void {
  const { at, after_steps } = continuation;
  const fault = faultOf(workflow, at);
  if (fault !== null) {
    const { code, text, hint } = fault;
    problems.error(code, `${AT} names "${shortened(at, 256)}", ${text}`, { path: AT, hint });
    return;
  }
  const limit = workflow.max_steps ?? DEFAULT_STEP_LIMIT;
  if (after_steps !== null && after_steps >= limit)
    problems.warning('step_limit_first', `${PATH}.after_steps is ${after_steps}, but an execution fails after ${limit} steps`, {
      path: `${PATH}.after_steps`,
      hint: 'set a larger max_steps, or a smaller after_steps',
    });
  if (graph !== null) loopsPast(at, graph, problems);
}

/** Loops in which the execution never continues as another one. */
function loopsPast(at: string, graph: Graph, problems: Problems): void {
  const node = graph.existingIndexOf(at);
  const loops = loopsWithoutBound(graph);
  if (loops.length === 0)
    problems.warning('no_effect', `${PATH} has no effect: no loop of the workflow is without a bound of its own`, { path: PATH });
  conversationsOf(loops, graph, problems);
  for (const loop of loops) {
    if (!roundAvoids(loop, node, graph)) continue;
    const message = `the loop of ${namesOf(loop, graph)} can go round without "${at}", at which the execution would continue as another one`;
    problems.warning('loop_not_continued', message, {
      node_id: graph.idOf(loop.head),
      path: AT,
      hint: 'name a node that every round visits',
    });
  }
}

/** An agent without a thread says again what it has said in all earlier rounds, and hands that on to the next segment. */
function conversationsOf(loops: readonly Loop[], graph: Graph, problems: Problems): void {
  for (const node of new Set(loops.flatMap(({ body }) => [...body]))) {
    const { id, kind } = graph.node(node);
    const { thread, max_messages } = kind as ThreadFields;
    if (definitionOf(kind).conversation(kind) === null || thread !== undefined || max_messages !== undefined) continue;
    problems.warning('conversation_grows', `the conversation of "${id}" grows with each round of the loop`, {
      node_id: id,
      path: `nodes.${id}.max_messages`,
      hint: 'add max_messages: 100, or a thread',
    });
  }
}

/** Why an execution cannot continue at a node; null = it can. */
function faultOf(
  { nodes, strategy }: Workflow,
  at: string,
): { readonly code: string; readonly text: string; readonly hint: string | null } | null {
  const node = nodes.find(({ id }) => id === at);
  const working = 'name a node that works or waits, such as a tool, an agent or a wait';
  if (node === undefined) {
    const ids = nodes.map(({ id }) => id);
    return { code: 'unknown_target', text: 'which is no node', hint: didYouMean(at, ids) ?? working };
  }
  if (strategy !== null)
    return { code: 'bad_continuation', text: 'which is a part of a strategy', hint: 'a strategy limits its iterations itself' };
  const owner = nodes.find((other) => generates(other, at));
  if (owner !== undefined)
    return { code: 'bad_continuation', text: `which is a part of "${owner.id}"`, hint: `name "${owner.id}"` };
  const definition = definitionOf(node.kind);
  if (definition.runsAtEnd(node.kind) !== null)
    return { code: 'bad_continuation', text: 'which runs when the execution ends', hint: working };
  if (definition.behaviour(node.kind) !== 'control') return null;
  return { code: 'bad_continuation', text: 'which ends as soon as it begins', hint: working };
}

function generates({ id, kind }: Node, generated: string): boolean {
  return (
    definitionOf(kind)
      .expand(kind, id)
      ?.nodes.some(([own]) => own === generated) ?? false
  );
}

function namesOf({ body }: Loop, graph: Graph): string {
  const names = [...body].map((node) => `"${graph.idOf(node)}"`);
  return names.length > 6 ? `${names.slice(0, 6).join(', ')} …` : names.join(', ');
}
