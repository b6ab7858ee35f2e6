import { references } from '../../../machines/expression/index.ts';
import { isEndless, loopsWithoutBound, roundAvoids } from '../../../machines/graph/loop-bounds.ts';
import type { Loop } from '../../../machines/graph/loops.ts';
import { definitionOf } from '../../../machines/nodes/index.ts';
import { type Branch, isUnhandledFailure } from '../simulation/branches.ts';
import type { SimWorkflow } from '../simulation/simulation.ts';
import type { BranchInputs } from './branch-inputs.ts';
import type { Explored } from './explore.ts';

export type Severity = 'error' | 'warning' | 'info';

/** A finding of the exploration of a workflow. */
export interface Finding {
  readonly severity: Severity;
  readonly code: FindingCode;
  /** Null = the whole workflow. */
  readonly node: string | null;
  /** Path in the document. */
  readonly path: string;
  readonly message: string;
  readonly hint: string | null;
}

export type FindingCode =
  /** A run can reach a state without a next step that is not an end. */
  | 'dead_end'
  /** Runs can reach states from which no end is reachable. */
  | 'never_ends'
  | 'never_reached'
  | 'branch_never_taken'
  | 'undecided_condition'
  | 'failure_ends_run'
  | 'rejection_ends_run'
  | 'timeout_ends_run'
  | 'approval_without_timeout'
  | 'loop_without_bound'
  | 'late_event_unread';

const ORDER: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 };

/** `tested`: branches that the tests of the file take. */
export function findingsOf(
  workflow: SimWorkflow,
  branchInputs: BranchInputs,
  explored: Explored,
  tested: ReadonlySet<Branch>,
): readonly Finding[] {
  return [
    ...deadEnds(explored),
    ...neverEnding(workflow, branchInputs, explored),
    ...neverReached(workflow, branchInputs, explored, tested),
    ...neverTaken(workflow, branchInputs, explored, tested),
    ...unhandledOutcomes(workflow),
    ...approvalsWithoutTimeout(workflow),
    ...openLoops(workflow),
    ...[...explored.unreadLate].map(lateEvent),
  ].sort((a, b) => ORDER[a.severity] - ORDER[b.severity]);
}

const STOPPED_AT_BOUND = 'the exploration stopped at the maximum number of steps';
const EXPLORE_FURTHER = 'explore further with --steps';

function at(node: string): Pick<Finding, 'node' | 'path'> {
  return { node, path: `nodes.${node}` };
}

function quotedList(nodes: readonly string[]): string {
  return nodes.map((node) => `"${node}"`).join(', ');
}

function deadEnds({ stateNodes }: Explored): Finding[] {
  const found = new Map<string, Finding>();
  for (const { hasEnded, active, transitions } of stateNodes) {
    if (hasEnded || transitions === null || transitions.length > 0) continue;
    const nodes = active.map(({ node }) => node);
    const [node] = nodes;
    const where = nodes.length === 0 ? 'with no active node' : `at ${quotedList(nodes)}`;
    found.set(nodes.join(' '), {
      severity: 'error',
      code: 'dead_end',
      ...(node === undefined ? { node: null, path: 'start_node' } : at(node)),
      message: `dead end ${where}: a run can stop there without an end and without a next step`,
      hint: 'add an edge or a timeout',
    });
  }
  return [...found.values()];
}

/** States from which no end is reachable, although all their successors are explored. */
function neverEnding(workflow: SimWorkflow, branchInputs: BranchInputs, { stateNodes, starts }: Explored): Finding[] {
  // A failure of the run does not count as an end.
  const next = stateNodes.map(({ transitions }) => {
    return (transitions ?? []).filter((transition) => !transition.branches.some(isUnhandledFailure)).map(({ to }) => to);
  });
  const before: number[][] = stateNodes.map(() => []);
  next.forEach((targets, from) => {
    for (const to of targets) before[to]?.push(from);
  });
  // Unexplored states may lead to an end; dead ends are reported separately.
  const leaves = stateNodes.filter(({ hasEnded, transitions }) => hasEnded || transitions === null || transitions.length === 0);
  const ending = new Set(leaves.map(({ index }) => index));
  for (const index of ending) for (const from of before[index] ?? []) ending.add(from);
  const reached = new Set(starts.map(({ to }) => to));
  for (const index of reached) for (const to of next[index] ?? []) reached.add(to);
  const trapped = new Set(stateNodes.filter(({ index }) => reached.has(index) && !ending.has(index)).map(({ index }) => index));
  // Remove states that lead into the trap but are not part of it.
  const isEntry = (index: number): boolean => !(before[index] ?? []).some((from) => trapped.has(from));
  for (let entries = [...trapped].filter(isEntry); entries.length > 0; entries = [...trapped].filter(isEntry)) {
    for (const index of entries) trapped.delete(index);
  }
  const nodes = [...new Set([...trapped].flatMap((index) => (stateNodes[index]?.active ?? []).map(({ node }) => node)))];
  const [node] = nodes;
  if (node === undefined) return [];
  // A decision may patch any key of the state.
  const decides = nodes.some((inside) => requiresApproval(workflow, inside));
  const unsolved = [...branchInputs.unsolved].some((branch) => nodes.some((inside) => leadsTo(workflow, inside, branch.node)));
  const undecided = branchInputs.bounded || decides || unsolved;
  return [
    undecided
      ? {
          severity: 'info',
          code: 'never_ends',
          ...at(node),
          message: `no explored run leaves ${quotedList(nodes)}, but some conditions there are undecidable`,
          hint: 'add a test that leaves it',
        }
      : {
          severity: 'error',
          code: 'never_ends',
          ...at(node),
          message: `runs can reach ${quotedList(nodes)} and never end: every step from there leads back`,
          hint: 'make the exit condition depend on a value that changes inside the loop',
        },
  ];
}

function requiresApproval({ program: { tables } }: SimWorkflow, node: string): boolean {
  const { kind } = tables.nodeOf(node);
  if (definitionOf(kind).scoring(kind)?.onFail === 'escalate') return true;
  return definitionOf(kind).behaviour(kind) === 'approval' || tables.hasApprovalState(node);
}

function leadsTo({ program }: SimWorkflow, from: string, to: string): boolean {
  const { graph } = program.tables;
  const seen = new Set([graph.indexOf(from) ?? 0]);
  for (const node of seen) for (const edge of graph.outWithWaits(node)) if (edge.to >= 0) seen.add(edge.to);
  return seen.has(graph.indexOf(to) ?? -1);
}

function neverReached(
  { program, branches }: SimWorkflow,
  branchInputs: BranchInputs,
  { stateNodes, taken, bounded }: Explored,
  tested: ReadonlySet<Branch>,
): Finding[] {
  const reached = new Set([...taken, ...tested].map(({ node }) => node));
  for (const { active } of stateNodes) for (const { node } of active) reached.add(node);
  const { graph } = program.tables;
  const isSure = !bounded && !branchInputs.bounded && branchInputs.unsolved.size === 0;
  const stopped = bounded ? `, but ${STOPPED_AT_BOUND}` : '';
  const hint = isSure ? 'check the conditions before it' : 'add a test that reaches it';
  return graph.reachable
    .map((index) => graph.idOf(index))
    .filter((node) => !reached.has(node) && !branches.isInner(node))
    .map((node) => ({
      severity: isSure ? 'warning' : 'info',
      code: 'never_reached',
      ...at(node),
      message: `no explored run reaches "${node}"${stopped}`,
      hint: bounded ? `${EXPLORE_FURTHER}, or ${hint}` : hint,
    }));
}

function neverTaken(
  { program, branches }: SimWorkflow,
  branchInputs: BranchInputs,
  { taken, bounded }: Explored,
  tested: ReadonlySet<Branch>,
): Finding[] {
  const visited = new Set([...taken].map(({ node }) => node));
  return branches.all.flatMap((branch): Finding[] => {
    const { node, when, isChoice, isInner, targets } = branch;
    if (!isChoice || isInner || taken.has(branch) || tested.has(branch) || !visited.has(node)) return [];
    // A choice without a default whose conditions are all false: `validate` warns about it.
    if (when === null && targets.length === 0) return [];
    const label = when === null ? 'the branch without a condition' : `the branch "${when}"`;
    if (when !== null && references(program.tables.expression(when)).length === 0) {
      const message = `${label} of "${node}" is never taken: its condition is constant`;
      return [{ severity: 'warning', code: 'branch_never_taken', ...at(node), message, hint: 'remove it' }];
    }
    if (!branchInputs.unsolved.has(branch) && !bounded && !branchInputs.bounded) {
      const message = `${label} of "${node}" is not taken by any explored run, although some values would satisfy it`;
      return [
        {
          severity: 'warning',
          code: 'branch_never_taken',
          ...at(node),
          message,
          hint: 'check that a node writes the values it reads',
        },
      ];
    }
    const isStopped = bounded && !branchInputs.unsolved.has(branch);
    const why = isStopped ? `is unknown: ${STOPPED_AT_BOUND}` : 'is undecidable';
    const message = `whether ${label} of "${node}" is ever taken ${why}`;
    const hint = `${isStopped ? `${EXPLORE_FURTHER}, or ` : ''}add a test that takes it`;
    return [{ severity: 'info', code: 'undecided_condition', ...at(node), message, hint }];
  });
}

/** Outcomes without an edge. */
function unhandledOutcomes(workflow: SimWorkflow): Finding[] {
  return workflow.branches.all.flatMap((branch): Finding[] => {
    const { node, outcome, alternative, isInner } = branch;
    if (alternative !== null || isInner) return [];
    if (outcome === 'rejected') {
      const message = `a rejection of "${node}" fails the run`;
      return [{ severity: 'info', code: 'rejection_ends_run', ...at(node), message, hint: 'name a node in on_rejected' }];
    }
    if (outcome === 'timeout') {
      const message = `a timeout of "${node}" fails the run`;
      return [{ severity: 'info', code: 'timeout_ends_run', ...at(node), message, hint: 'name a node in on_timeout' }];
    }
    if (races(workflow, node)) return [];
    const message = `a final failure of "${node}" fails the run`;
    return [{ severity: 'info', code: 'failure_ends_run', ...at(node), message, hint: 'name a node in fallback' }];
  });
}

/** Whether the node races for a first-wins join, where a failure is contained because another branch may win. */
function races({ program }: SimWorkflow, node: string): boolean {
  const { graph } = program.tables;
  const index = graph.indexOf(node) ?? 0;
  return graph.reachable.some(
    (join) => graph.isFirstJoin(join) && (graph.cancellationRegion(join).has(index) || graph.sources(join).includes(index)),
  );
}

function approvalsWithoutTimeout({ program }: SimWorkflow): Finding[] {
  const { graph } = program.tables;
  return graph.reachable.flatMap((index): Finding[] => {
    const { id, kind } = graph.node(index);
    if (definitionOf(kind).behaviour(kind) !== 'approval' || definitionOf(kind).parkTimeout(kind) !== null) return [];
    const message = `"${id}" waits for a decision without a timeout`;
    return [{ severity: 'info', code: 'approval_without_timeout', ...at(id), message, hint: 'add a timeout and on_timeout' }];
  });
}

/** Loops that the workflow itself neither bounds nor continues, without those that validation warns of. */
function openLoops({ program }: SimWorkflow): Finding[] {
  const { graph } = program.tables;
  const { max_steps, continuation, strategy } = program.workflow;
  if (max_steps !== null || strategy !== null) return [];
  const isContinued = (loop: Loop): boolean =>
    continuation === null ? isEndless(loop, graph) : !roundAvoids(loop, graph.existingIndexOf(continuation.at), graph);
  const open = loopsWithoutBound(graph).filter((loop) => !isContinued(loop));
  return open.map(({ head, body }) => {
    const inside = [...body].map((node) => graph.idOf(node));
    const node = graph.idOf(head);
    const message = `the loop of ${quotedList(inside)} has no bound besides its conditions`;
    return {
      severity: 'info',
      code: 'loop_without_bound',
      ...at(node),
      message,
      hint: 'count the iterations in a node of the loop and check the count in a condition, or set max_steps or continue_as_new',
    };
  });
}

function lateEvent(node: string): Finding {
  const message = `an event for "${node}" that arrives after the timeout is buffered, and no later node consumes it`;
  return { severity: 'info', code: 'late_event_unread', ...at(node), message, hint: null };
}
