import { at } from './at.ts';

/** A tree of immediate dominators over nodes 0 … n-1. Nodes that the root does not reach are not in it. */
export interface DominatorTree {
  readonly root: number;
  /** Immediate dominator by node; -1 for the root and for unreachable nodes. */
  readonly idom: Int32Array;
  /** Is `a` on every path from the root to `b`? A node dominates itself. */
  dominates(a: number, b: number): boolean;
}

/**
 * Immediate dominators by the algorithm of Cooper, Harvey and Kennedy.
 * @see "A Simple, Fast Dominance Algorithm" (2001)
 */
export function dominatorTree(size: number, root: number, successors: readonly (readonly number[])[]): DominatorTree {
  const postorder = depthFirstPostorder(root, successors, size);
  const rank = new Int32Array(size).fill(-1);
  postorder.forEach((node, i) => {
    rank[node] = i;
  });
  const predecessors: number[][] = Array.from({ length: size }, () => []);
  for (const node of postorder) for (const next of at(successors, node)) at(predecessors, next).push(node);

  const idom = new Int32Array(size).fill(-1);
  idom[root] = root;
  const commonDominator = (a: number, b: number): number => {
    while (a !== b) {
      while (at(rank, a) < at(rank, b)) a = at(idom, a);
      while (at(rank, b) < at(rank, a)) b = at(idom, b);
    }
    return a;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = postorder.length - 1; i >= 0; i--) {
      const node = at(postorder, i);
      if (node === root) continue;
      let best = -1;
      for (const before of at(predecessors, node)) {
        if (at(idom, before) !== -1) best = best === -1 ? before : commonDominator(before, best);
      }
      if (best !== at(idom, node)) {
        idom[node] = best;
        changed = true;
      }
    }
  }
  idom[root] = -1;
  const { enter, leave } = visitIntervals(idom, root, postorder);
  return {
    root,
    idom,
    dominates: (a, b) =>
      at(enter, a) !== -1 && at(enter, b) !== -1 && at(enter, a) <= at(enter, b) && at(leave, b) <= at(leave, a),
  };
}

/** Nodes in postorder; the root comes last. */
export function depthFirstPostorder(root: number, successors: readonly (readonly number[])[], size: number): number[] {
  const postorder: number[] = [];
  const seen = new Uint8Array(size);
  const stack: { node: number; next: number }[] = [{ node: root, next: 0 }];
  seen[root] = 1;
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const next = at(successors, top.node)[top.next++];
    if (next === undefined) {
      postorder.push(top.node);
      stack.pop();
    } else if (seen[next] === 0) {
      seen[next] = 1;
      stack.push({ node: next, next: 0 });
    }
  }
  return postorder;
}

/** Times at which a walk over the tree enters and leaves each node: an ancestor's interval contains those of its descendants. */
function visitIntervals(idom: Int32Array, root: number, nodes: readonly number[]): { enter: Int32Array; leave: Int32Array } {
  const children: number[][] = Array.from({ length: idom.length }, () => []);
  for (const node of nodes) if (node !== root) at(children, at(idom, node)).push(node);
  const enter = new Int32Array(idom.length).fill(-1);
  const leave = new Int32Array(idom.length).fill(-1);
  let clock = 0;
  const stack: { node: number; next: number }[] = [{ node: root, next: 0 }];
  enter[root] = clock++;
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const child = at(children, top.node)[top.next++];
    if (child === undefined) {
      leave[top.node] = clock++;
      stack.pop();
    } else {
      enter[child] = clock++;
      stack.push({ node: child, next: 0 });
    }
  }
  return { enter, leave };
}
