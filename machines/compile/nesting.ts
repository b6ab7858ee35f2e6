import type { Graph } from '../graph/graph.ts';
import type { Branch, Fork, Plan } from './shapes.ts';
import { tooLarge } from './too-large.ts';

/**
 * XState takes the transitions of regions that move together in one microstep, and compares each with each, over all active states and their
 * ancestors: control nodes² × states × depth. That many comparisons take some 100 ms.
 */
const MAX_COMPARISONS = 50_000_000;

/** What entering a fork sets going at once. */
interface Extent {
  /** Regions that begin with a control node: they move together. */
  readonly controls: number;
  readonly regions: number;
  readonly depth: number;
}

const NOTHING: Extent = { controls: 0, regions: 0, depth: 0 };

/** Throws `InvalidWorkflow` when fan-outs inside each other start more control nodes in one step than that can be afforded. */
export function checkNesting(graph: Graph, plan: Plan): void {
  extentOfPlan(graph, plan);
}

/** The largest of the forks in a plan: a region is in one of them at a time. */
function extentOfPlan(graph: Graph, plan: Plan): Extent {
  let largest = NOTHING;
  for (const fork of new Set(plan.forks.values())) largest = larger(largest, extentOf(graph, fork));
  return largest;
}

function extentOf(graph: Graph, fork: Fork): Extent {
  let { controls, regions, depth } = NOTHING;
  for (const branch of fork.branches) {
    const inner = extentOfBranch(graph, branch);
    controls += inner.controls;
    regions += 1 + inner.regions;
    depth = Math.max(depth, inner.depth);
  }
  const extent = { controls, regions, depth: depth + 1 };
  // A fork adds two states to the way up from each of its regions, and two per region to those that are active.
  if (controls ** 2 * (2 * regions) * (2 * extent.depth) > MAX_COMPARISONS)
    throw tooLarge(graph, fork.owner, `starts ${controls} control nodes side by side, too many for one step`);
  return extent;
}

function extentOfBranch(graph: Graph, { entry, plan }: Branch): Extent {
  const inside = extentOfPlan(graph, plan);
  if (entry === null) return inside;
  if (typeof entry !== 'number') return larger(inside, extentOf(graph, entry));
  // Behind work, the region moves alone.
  if (!graph.isControl(entry)) return { ...inside, controls: 0 };
  return { ...inside, controls: Math.max(1, inside.controls) };
}

function larger(one: Extent, other: Extent): Extent {
  return {
    controls: Math.max(one.controls, other.controls),
    regions: Math.max(one.regions, other.regions),
    depth: Math.max(one.depth, other.depth),
  };
}
