import type { NodeProps } from '@xyflow/react';
import { createContext, memo, useCallback, useContext, useSyncExternalStore } from 'react';
import { itemsText } from '../../../../machines/history/node-visit.ts';
import { OPEN } from '../../../../machines/history/node-visits.ts';
import type { NodeOverlay } from '../../../../machines/views/execution-overlay.ts';
import type { GraphNode } from '../../../../src/views/graph.ts';
import { duration } from '../../../../src/views/time.ts';
import { Name } from '../name.tsx';
import { Elapsed } from '../time.tsx';
import styles from './graph.module.css';
import type { GraphOverlay } from './graph-overlay.ts';

/** What a comparison says of a node. */
export type GraphMark = 'added' | 'removed' | 'changed';
/** By the ids of the workflow's nodes. */
export type GraphMarks = ReadonlyMap<string, GraphMark>;

export interface GraphSelection {
  readonly overlay: GraphOverlay | null;
  /** Null = the graph is compared with nothing. */
  readonly marks: GraphMarks | null;
  /** Id of the selected node in the workflow. */
  readonly selected: string | null;
  /** Id in the graph of the node that the keyboard reaches. */
  readonly focusable: string | null;
  readonly onSelect: (node: string) => void;
  readonly onFocus: (id: string) => void;
}

export const GraphSelectionContext = createContext<GraphSelection | null>(null);

/** A node of the graph: its kind, name and what it calls; with an execution, what it did. */
export const NodeShape = memo(function NodeShape({ data }: NodeProps) {
  const { node } = data as { readonly node: GraphNode };
  const selection = useContext(GraphSelectionContext);
  if (selection === null || node.node === null) return <div className={styles.end}>{node.title}</div>;
  return <WorkNode node={node} id={node.node} selection={selection} />;
});

export const FrameShape = memo(function FrameShape({ data }: NodeProps) {
  return (
    <div className={styles.frame}>
      <Name text={String(data.label)} maxChars={60} />
    </div>
  );
});

function WorkNode({
  node,
  id,
  selection,
}: {
  readonly node: GraphNode;
  readonly id: string;
  readonly selection: GraphSelection;
}) {
  const { overlay: source, marks, selected, focusable, onSelect, onFocus } = selection;
  const subscribe = useCallback((listener: () => void) => source?.subscribe(node.id, listener) ?? NOTHING, [source, node.id]);
  const overlay = useSyncExternalStore(subscribe, () => source?.overlayOf(node.id) ?? null);
  return (
    <NodeCard
      node={node}
      overlay={overlay}
      mark={marks?.get(id) ?? null}
      isSelected={selected === id}
      isFocusable={focusable === node.id}
      onSelect={() => onSelect(id)}
      onFocus={() => onFocus(node.id)}
    />
  );
}

interface CardProps {
  readonly node: GraphNode;
  readonly overlay: NodeOverlay | null;
  readonly mark: GraphMark | null;
  readonly isSelected: boolean;
  readonly isFocusable: boolean;
  readonly onSelect: () => void;
  readonly onFocus: () => void;
}

function NodeCard({ node, overlay, mark, isSelected, isFocusable, onSelect, onFocus }: CardProps) {
  return (
    <button
      type="button"
      className={`${styles.node} nopan`}
      data-node={node.id}
      data-status={overlay?.status ?? 'none'}
      data-mark={mark ?? undefined}
      aria-pressed={isSelected}
      tabIndex={isFocusable ? 0 : -1}
      onClick={onSelect}
      onFocus={onFocus}
    >
      <span className={styles.letter} aria-hidden="true">
        {node.letter}
      </span>
      <span className={styles.title}>
        <Name text={node.title} maxChars={80} />
      </span>
      <span className={styles.detail}>
        <Name text={node.detail === '' ? (node.kind ?? '').replaceAll('_', ' ') : node.detail} maxChars={80} />
      </span>
      {mark !== null && (
        <span className={styles.overlay}>
          <strong>{mark}</strong>
        </span>
      )}
      {overlay !== null && (
        <span className={styles.overlay}>
          <strong>{overlay.status}</strong>
          <OverlayFacts overlay={overlay} />
        </span>
      )}
    </button>
  );
}

function OverlayFacts({ overlay }: { readonly overlay: NodeOverlay }) {
  const { visits, retries, durationMs, sinceMs, status, items } = overlay;
  return (
    <>
      {items !== null && <span title="items">{itemsText(items)}</span>}
      {visits > 1 && <span title="visits">×{visits.toLocaleString()}</span>}
      {retries > 0 && <span>{retries === 1 ? '1 retry' : `${retries.toLocaleString()} retries`}</span>}
      {durationMs !== null && <span>{duration(durationMs)}</span>}
      {durationMs === null && sinceMs !== null && OPEN.has(status) && (
        <span>
          <Elapsed from={new Date(sinceMs).toISOString()} to={null} />
        </span>
      )}
    </>
  );
}

const NOTHING = (): void => {};
