import { ViewportPortal } from '@xyflow/react';
import { memo, useCallback, useSyncExternalStore } from 'react';
import { oneLine } from '../../../../machines/views/text.ts';
import type { GraphEdge } from '../../../../src/views/graph.ts';
import { pathOf } from './edge-paths.ts';
import styles from './graph.module.css';
import type { GraphLayout, PlacedEdge } from './graph-layout.ts';
import type { GraphOverlay } from './graph-overlay.ts';

interface Props {
  readonly edges: readonly GraphEdge[];
  readonly layout: GraphLayout;
  readonly overlay: GraphOverlay | null;
}

/** All edges as one drawing in the graph's coordinates. Only edges that have just been taken are rendered again. */
export const GraphEdges = memo(function GraphEdges({ edges, layout, overlay }: Props) {
  return (
    <ViewportPortal>
      <svg className={styles.edges} aria-hidden="true">
        <defs>
          {['untaken', 'taken'].map((look) => (
            <marker
              key={look}
              id={`arrow-${look}`}
              viewBox="0 0 8 8"
              refX="7"
              refY="4"
              markerWidth="9"
              markerHeight="9"
              markerUnits="userSpaceOnUse"
              orient="auto"
            >
              <path d="M0,0.5 L8,4 L0,7.5 Z" className={styles[`${look}-arrow`]} />
            </marker>
          ))}
        </defs>
        {edges.map((edge) => {
          const placed = layout.edges.get(edge.id);
          return placed === undefined ? null : <Edge key={edge.id} edge={edge} placed={placed} overlay={overlay} />;
        })}
      </svg>
    </ViewportPortal>
  );
});

interface EdgeProps {
  readonly edge: GraphEdge;
  readonly placed: PlacedEdge;
  readonly overlay: GraphOverlay | null;
}

const Edge = memo(function Edge({ edge, placed, overlay }: EdgeProps) {
  const subscribe = useCallback((listener: () => void) => overlay?.subscribe(edge.id, listener) ?? NOTHING, [overlay, edge.id]);
  const taken = useSyncExternalStore(subscribe, () => overlay?.timesTaken(edge.id) ?? 0);
  const look = taken > 0 ? 'taken' : 'untaken';
  const { label } = placed;
  const last = placed.points.at(-1);
  return (
    <g data-edge={`${edge.from} ${edge.to}`} data-taken={taken}>
      <path
        d={pathOf(placed.points)}
        className={`${styles.edge} ${styles[look]} ${edge.role === 'waits' ? styles.waits : ''}`}
        markerEnd={`url(#arrow-${look})`}
      />
      {label !== null && (
        <g transform={`translate(${label.x} ${label.y})`}>
          <rect width={label.width} height={label.height} rx={4} className={styles.labelGround} />
          <text x={label.width / 2} y={label.height / 2} className={styles.edgeLabel}>
            {oneLine(label.text, 60)}
          </text>
        </g>
      )}
      {taken > 1 && last !== undefined && (
        <text x={last.x + 5} y={last.y - 10} className={styles.times}>
          ×{taken.toLocaleString()}
        </text>
      )}
    </g>
  );
});

const NOTHING = (): void => {};
