import type { Json } from '../json.ts';
import type { KindName } from '../nodes/index.ts';
import type { NodeShape } from '../nodes/kind.ts';
import type { ExecutionStatus, NodeOverlay } from './execution-overlay.ts';

/** The shape of a drawn node: that of its kind, of a start or end, or of a state that only machines have. */
export type Shape = NodeShape | 'begin' | 'finish' | 'retry' | 'hold' | 'child' | 'gate' | 'route' | 'arrived' | 'final';

export interface DiagramNode {
  /** Unique in the picture, of letters, digits and underscores: safe in every format. */
  readonly key: string;
  /** As the author wrote it; anything may be in it. */
  readonly name: string;
  readonly shape: Shape;
  /** Kind of the workflow node; null for a start, an end and a state that only machines have. */
  readonly kind: KindName | null;
  /** What it calls, waits for or asks, in a few words; '' = nothing to add. */
  readonly detail: string;
  /** Key of the frame it stands in; null = none. */
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
  /** `waits`: a join waits for it, but nothing travels there. */
  readonly role: 'plain' | 'choice' | 'outcome' | 'waits';
  readonly back: boolean;
  /** How often it was taken; null = not told. */
  readonly taken: number | null;
}

/** A part of the picture with a line around it. */
export interface DiagramFrame {
  readonly key: string;
  readonly label: string;
  readonly parent: string | null;
  /** Its frames run side by side. */
  readonly parallel: boolean;
}

/** A workflow, its machine, or an execution of it, before it is written in any format. */
export interface Diagram {
  readonly view: View;
  readonly title: string;
  /** Version, and of an execution where it stands; '' = nothing to add. */
  readonly subtitle: string;
  readonly nodes: readonly DiagramNode[];
  readonly edges: readonly DiagramEdge[];
  /** Outer ones before those inside them. */
  readonly frames: readonly DiagramFrame[];
  /** Of the execution it shows; null = a workflow. */
  readonly status: ExecutionStatus | null;
}

export const VIEWS = ['workflow', 'machine'] as const;
export type View = (typeof VIEWS)[number];
