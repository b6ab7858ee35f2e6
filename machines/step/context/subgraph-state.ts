/**
 * States of edges and nodes inside a subgraph. One character each: `SubgraphState` is stored with every snapshot, and a subgraph can have
 * thousands of edges.
 */
export const EDGE = { undecided: '.', live: 'l', dead: 'd' } as const;
export type EdgeState = (typeof EDGE)[keyof typeof EDGE];

export const NODE = {
  undecided: '.',
  /** Runs whatever its in-edges say: the head of a loop that iterates again, or the first node of the execution. */
  forced: 'e',
  /** Its join guard is open, its state has yet to be entered. */
  released: 'r',
  running: 'g',
  /** A control node that has been entered and not yet been left. */
  passing: 'k',
  /** Finished or skipped. */
  over: 'x',
  /** Cancelled by a first-wins join, or kept from starting by it. */
  closed: 'c',
} as const;
export type NodeState = (typeof NODE)[keyof typeof NODE];
