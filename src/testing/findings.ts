import { references } from '../../machines/expression/index.ts';
import { definitionOf } from '../../machines/nodes/index.ts';
import type { BranchInputs } from './branch-inputs.ts';
import { type Branch, isUnhandledFailure } from './branches.ts';
import type { Explored } from './explore.ts';
import type { SimWorkflow } from './simulation.ts';

export type Severity = 'error' | 'warning' | 'info';

/** What exploring a workflow has shown. */
export interface Finding {
  readonly severity: Severity;
  readonly code: FindingCode;
  /** Null = the workflow as a whole. */
  readonly node: string | null;
  /** Path in the document of what is meant. */
  readonly path: string;
  readonly message: string;
  readonly hint: string | null;
}

export type FindingCode =
  /** A run can neither go on nor end. */
  | 'dead_end'
  /** Runs get somewhere from where no end can be reached. */
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

/** `tested`: ways that the file's own tests take. */
export function findingsOf(
  world: SimWorkflow,
  wishes: BranchInputs,
  explored: Explored,
  tested: ReadonlySet<Branch>,
): readonly Finding[] {
  return [
    ...deadEnds(explored),
    ...neverEnding(world, wishes, explored),
    ...neverReached(world, wishes, explored, tested),
    ...neverTaken(world, wishes, explored, tested),
    ...unhandledOutcomes(world),
    ...approvalsWithoutTimeout(world),
    ...loopsWithoutBound(world),
    ...[...explored.unreadLate].map(lateEvent),
  ].sort((a, b) => ORDER[a.severity] - ORDER[b.severity]);
}

const STOPPED_AT_BOUND = 'exploring stopped at the bound on steps';
const EXPLORE_FURTHER = 'explore further with --steps';

function at(node: string): Pick<Finding, 'node' | 'path'> {
  return { node, path: `nodes.${node}` };
}

function quotedList(nodes: readonly string[]): string {
  return nodes.map((node) => `"${node}"`).join(', ');
}

function deadEnds({ nodes: situations }: Explored): Finding[] {
  const found = new Map<string, Finding>();
  for (const { hasEnded, active, transitions } of situations) {
    if (hasEnded || transitions === null || transitions.length > 0) continue;
    const nodes = active.map(({ node }) => node);
    const [node] = nodes;
    const where = nodes.length === 0 ? 'with nothing under way' : `at ${quotedList(nodes)}`;
    found.set(nodes.join(' '), {
      severity: 'error',
      code: 'dead_end',
      ...(node === undefined ? { node: null, path: 'start_node' } : at(node)),
      message: `a run can come to a stop ${where}: nothing can happen there, and it has not ended`,
      hint: 'give it a way on, or a time limit',
    });
  }
  return [...found.values()];
}

/** Situations from which no end can be reached, although everything that follows them is known. */
function neverEnding(world: SimWorkflow, wishes: BranchInputs, { nodes: situations, starts }: Explored): Finding[] {
  // That a run can always fail is no way out.
  const ways = situations.map(({ transitions }) => {
    return (transitions ?? []).filter((transition) => !transition.branches.some(isUnhandledFailure)).map(({ to }) => to);
  });
  const before: number[][] = situations.map(() => []);
  ways.forEach((targets, from) => {
    for (const to of targets) before[to]?.push(from);
  });
  // What was not looked into may well lead to an end; what stands still is reported as such.
  const leaves = situations.filter(({ hasEnded, transitions }) => hasEnded || transitions === null || transitions.length === 0);
  const ending = new Set(leaves.map(({ index }) => index));
  for (const index of ending) for (const from of before[index] ?? []) ending.add(from);
  const reached = new Set(starts.map(({ to }) => to));
  for (const index of reached) for (const to of ways[index] ?? []) reached.add(to);
  const trapped = new Set(situations.filter(({ index }) => reached.has(index) && !ending.has(index)).map(({ index }) => index));
  // What only leads there is no part of the trap.
  const isEntry = (index: number): boolean => !(before[index] ?? []).some((from) => trapped.has(from));
  for (let entries = [...trapped].filter(isEntry); entries.length > 0; entries = [...trapped].filter(isEntry)) {
    for (const index of entries) trapped.delete(index);
  }
  const nodes = [...new Set([...trapped].flatMap((index) => (situations[index]?.active ?? []).map(({ node }) => node)))];
  const [node] = nodes;
  if (node === undefined) return [];
  // A decision may bring a patch to any key of the state.
  const decides = nodes.some((inside) => requiresApproval(world, inside));
  const unsolved = [...wishes.unsolved].some((way) => nodes.some((inside) => leadsTo(world, inside, way.node)));
  const undecided = wishes.bounded || decides || unsolved;
  return [
    undecided
      ? {
          severity: 'info',
          code: 'never_ends',
          ...at(node),
          message: `no run that was explored leaves ${quotedList(nodes)}, but not every condition there is decidable here`,
          hint: 'write a test that leaves it',
        }
      : {
          severity: 'error',
          code: 'never_ends',
          ...at(node),
          message: `runs can get to ${quotedList(nodes)} and never end: whatever happens there leads back`,
          hint: 'let the way out depend on something that changes inside the loop',
        },
  ];
}

function requiresApproval({ program: { tables } }: SimWorkflow, node: string): boolean {
  const { kind } = tables.nodeOf(node);
  return definitionOf(kind).behaviour(kind) === 'approval' || tables.verdicts.get(node)?.decision === 'require_approval';
}

function leadsTo({ program }: SimWorkflow, from: string, to: string): boolean {
  const { graph } = program.tables;
  const seen = new Set([graph.indexOf(from) ?? 0]);
  for (const node of seen) for (const edge of graph.outWithWaits(node)) if (edge.to >= 0) seen.add(edge.to);
  return seen.has(graph.indexOf(to) ?? -1);
}

function neverReached(
  { program }: SimWorkflow,
  wishes: BranchInputs,
  { nodes: situations, taken, bounded }: Explored,
  tested: ReadonlySet<Branch>,
): Finding[] {
  const reached = new Set([...taken, ...tested].map(({ node }) => node));
  for (const { active } of situations) for (const { node } of active) reached.add(node);
  const { graph } = program.tables;
  const isSure = !bounded && !wishes.bounded && wishes.unsolved.size === 0;
  const stopped = bounded ? `, but ${STOPPED_AT_BOUND}` : '';
  const hint = isSure ? 'look at the conditions on the way to it' : 'write a test that goes there';
  return graph.reachable
    .map((index) => graph.idOf(index))
    .filter((node) => !reached.has(node))
    .map((node) => ({
      severity: isSure ? 'warning' : 'info',
      code: 'never_reached',
      ...at(node),
      message: `no run that was explored comes to "${node}"${stopped}`,
      hint: bounded ? `${EXPLORE_FURTHER}, or ${hint}` : hint,
    }));
}

function neverTaken(
  { program, ways }: SimWorkflow,
  wishes: BranchInputs,
  { taken, bounded }: Explored,
  tested: ReadonlySet<Branch>,
): Finding[] {
  const visited = new Set([...taken].map(({ node }) => node));
  return ways.all.flatMap((way): Finding[] => {
    const { node, when, isChoice, targets } = way;
    if (!isChoice || taken.has(way) || tested.has(way) || !visited.has(node)) return [];
    // A choice without a default: that nothing holds is the author's exception, and `validate` warns of it.
    if (when === null && targets.length === 0) return [];
    const branch = when === null ? 'the way that is left when no condition holds' : `the branch "${when}"`;
    if (when !== null && references(program.tables.expression(when)).length === 0) {
      const message = `${branch} of "${node}" is never taken: its condition reads nothing`;
      return [{ severity: 'warning', code: 'branch_never_taken', ...at(node), message, hint: 'remove it' }];
    }
    if (!wishes.unsolved.has(way) && !bounded && !wishes.bounded) {
      const message = `${branch} of "${node}" was taken in no run, though it could be by its values`;
      return [
        { severity: 'warning', code: 'branch_never_taken', ...at(node), message, hint: 'does a node write what it reads?' },
      ];
    }
    const isStopped = bounded && !wishes.unsolved.has(way);
    const why = isStopped ? `was not found out: ${STOPPED_AT_BOUND}` : 'is not decidable here';
    const message = `whether ${branch} of "${node}" is ever taken ${why}`;
    const hint = `${isStopped ? `${EXPLORE_FURTHER}, or ` : ''}write a test that takes it`;
    return [{ severity: 'info', code: 'undecided_condition', ...at(node), message, hint }];
  });
}

/** Endings for which nothing is drawn. */
function unhandledOutcomes(world: SimWorkflow): Finding[] {
  return world.ways.all.flatMap((way): Finding[] => {
    const { node, ending, alternative } = way;
    if (alternative !== null) return [];
    if (ending === 'rejected') {
      const message = `when "${node}" is rejected, the run fails`;
      return [{ severity: 'info', code: 'rejection_ends_run', ...at(node), message, hint: 'name a node in on_rejected' }];
    }
    if (ending === 'timeout') {
      const message = `when the time of "${node}" is over, the run fails`;
      return [{ severity: 'info', code: 'timeout_ends_run', ...at(node), message, hint: 'name a node in on_timeout' }];
    }
    if (races(world, node)) return [];
    const message = `when "${node}" fails for good, the run fails`;
    return [{ severity: 'info', code: 'failure_ends_run', ...at(node), message, hint: 'name a node in fallback' }];
  });
}

/** Before a first-wins join a failure is contained: another way may win. */
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
    if (definitionOf(kind).behaviour(kind) !== 'approval' || definitionOf(kind).parkTimeoutMs(kind) !== null) return [];
    const message = `"${id}" waits for a decision however long it takes`;
    return [{ severity: 'info', code: 'approval_without_timeout', ...at(id), message, hint: 'give it a timeout and on_timeout' }];
  });
}

function loopsWithoutBound({ program }: SimWorkflow): Finding[] {
  const { graph } = program.tables;
  return graph.loops.map(({ head, body }) => {
    const inside = [...body].map((node) => graph.idOf(node));
    const node = graph.idOf(head);
    const message = `nothing but its own conditions ends the loop of ${quotedList(inside)}`;
    return {
      severity: 'info',
      code: 'loop_without_bound',
      ...at(node),
      message,
      hint: 'count the rounds in a node of the loop and let a condition read the count',
    };
  });
}

function lateEvent(node: string): Finding {
  const message = `an event for "${node}" that comes after its time is kept, and no node takes it`;
  return { severity: 'info', code: 'late_event_unread', ...at(node), message, hint: null };
}
