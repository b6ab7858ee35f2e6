import type { Graph } from '../../graph/graph.ts';
import type { Fork, ForkBranch, Plan } from '../../program/plan.ts';
import { tooLarge } from './too-large.ts';

/**
 * XState takes the transitions of regions that move together in one microstep and compares each pair of them, over all active states and
 * their ancestors: control nodes² × states × depth. This many comparisons take about 100 ms.
 */
const MAX_COMPARISONS = 50_000_000;

/** What entering a fork activates in one step. */
interface EntryCost {
  /** Regions that begin with a control node and therefore move together. */
  readonly controls: number;
  readonly regions: number;
  readonly depth: number;
}

const NO_COST: EntryCost = { controls: 0, regions: 0, depth: 0 };

/** Throws `InvalidWorkflow` when nested fan-outs start too many control nodes in one step. */
export function checkStepCost(graph: Graph, plan: Plan): void {
  costOfPlan(graph, plan);
}

/** The largest cost among the forks of a plan: a region is in one of them at a time. */
function costOfPlan(graph: Graph, plan: Plan): EntryCost {
  let largest = NO_COST;
  for (const fork of new Set(plan.forks.values())) largest = larger(largest, costOfFork(graph, fork));
  return largest;
}

function costOfFork(graph: Graph, fork: Fork): EntryCost {
  let { controls, regions, depth } = NO_COST;
  for (const branch of fork.branches) {
    const inner = costOfBranch(graph, branch);
    controls += inner.controls;
    regions += 1 + inner.regions;
    depth = Math.max(depth, inner.depth);
  }
  const extent = { controls, regions, depth: depth + 1 };
  // A fork adds two levels above each of its regions, and two active states per region.
  if (controls ** 2 * (2 * regions) * (2 * extent.depth) > MAX_COMPARISONS)
    throw tooLarge(graph, fork.owner, `starts ${controls} control nodes in parallel, too many for one step`);
  return extent;
}

function costOfBranch(graph: Graph, { entry, plan }: ForkBranch): EntryCost {
  const inside = costOfPlan(graph, plan);
  if (entry === null) return inside;
  if (typeof entry !== 'number') return larger(inside, costOfFork(graph, entry));
  // A region that begins with work moves alone.
  if (!graph.isControl(entry)) return { ...inside, controls: 0 };
  return { ...inside, controls: Math.max(1, inside.controls) };
}

function larger(one: EntryCost, other: EntryCost): EntryCost {
  return {
    controls: Math.max(one.controls, other.controls),
    regions: Math.max(one.regions, other.regions),
    depth: Math.max(one.depth, other.depth),
  };
}
