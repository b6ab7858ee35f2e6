import type { Json } from '../json.ts';
import type { KindName } from '../nodes/index.ts';
import type { NodeShape } from '../nodes/kind.ts';
import type { ExecutionOverlay, NodeOverlay } from './execution-overlay.ts';
import type { TransitionCounts } from './transition-counts.ts';

/** The shape of a drawn node: that of its kind, of a start or end, or of a state that only machines have. */
export type Shape = NodeShape | 'begin' | 'finish' | 'retry' | 'approval' | 'child' | 'guard' | 'route' | 'arrived' | 'final';

export interface DiagramNode {
  /** Unique in the diagram; letters, digits and underscores, which are safe in every format. */
  readonly key: string;
  /** As written in the document; it may contain any character. */
  readonly name: string;
  readonly shape: Shape;
  /** Kind of the workflow node; null for a start, an end and a state that only machines have. */
  readonly kind: KindName | null;
  /** What it calls, waits for or asks, in a few words; '' = nothing to add. */
  readonly detail: string;
  /** Key of the frame around it; null = none. */
  readonly frame: string | null;
  readonly overlay: NodeOverlay | null;
  readonly definition: Json;
}

export interface DiagramEdge {
  /** Keys of nodes, or of frames. */
  readonly from: string;
  readonly to: string;
  /** '' = none. */
  readonly label: string;
  /** `waits`: a join waits for the source, but the edge is never taken. */
  readonly role: 'plain' | 'choice' | 'outcome' | 'waits';
  readonly back: boolean;
  /** How often it was taken; null = unknown. */
  readonly taken: number | null;
  /** What counts as taking it; null = it is never taken, or an edge of a machine. */
  readonly takenBy: TakenBy | null;
}

/** An edge of the graph; the start; the way to the node for budgets; or a node at which the execution ends, when it is done. */
export type TakenBy =
  | { readonly type: 'edge'; readonly index: number }
  | { readonly type: 'start' }
  | { readonly type: 'budget' }
  | { readonly type: 'done'; readonly node: string };

/** A part of the diagram with a border. */
export interface DiagramFrame {
  readonly key: string;
  readonly label: string;
  readonly parent: string | null;
  /** Its frames run in parallel. */
  readonly parallel: boolean;
}

/** An execution whose progress is shown. */
export interface DrawnExecution {
  /** Null = unknown. */
  readonly id: string | null;
  readonly overlay: ExecutionOverlay;
  /** For the view of the machine; null = unknown. */
  readonly transitions: TransitionCounts | null;
}

/** A workflow or its machine, with or without an execution's overlay, independent of the format in which it is written. */
export interface Diagram {
  readonly view: View;
  readonly title: string;
  /** Its version. */
  readonly subtitle: string;
  readonly nodes: readonly DiagramNode[];
  readonly edges: readonly DiagramEdge[];
  /** Outer frames come before inner ones. */
  readonly frames: readonly DiagramFrame[];
  /** Null = a workflow. */
  readonly execution: DrawnExecution | null;
}

export const VIEWS = ['workflow', 'machine'] as const;
export type View = (typeof VIEWS)[number];
