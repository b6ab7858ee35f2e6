import type { NodeOverlay } from '../../../../machines/views/execution-overlay.ts';

/** What an execution did with the parts of a graph, by their ids. The overlay of a node is the same object until it changes. */
export interface GraphOverlay {
  overlayOf(id: string): NodeOverlay | null;
  timesTaken(id: string): number;
  /** Calls the listener when the node or edge looks different; returns how to stop that. */
  subscribe(id: string, listener: () => void): () => void;
}
