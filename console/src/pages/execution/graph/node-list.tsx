import { memo, useCallback, useSyncExternalStore } from 'react';
import type { GraphNode } from '../../../../../src/views/graph.ts';
import { duration } from '../../../../../src/views/time.ts';
import type { GraphOverlay } from '../../../components/graph/graph-overlay.ts';
import { Name } from '../../../components/name.tsx';
import { StatusBadge } from '../../../components/status-badge.tsx';
import { Elapsed } from '../../../components/time.tsx';
import { useExecutionView } from '../execution-view.ts';
import styles from './graph-pane.module.css';
import { useGraphOverlay } from './use-graph-overlay.ts';

/** The nodes as a table: the graph for a reader who does not see it. */
export function NodeList() {
  const { log, node: selected, selectNode } = useExecutionView();
  const overlay = useGraphOverlay();
  if (log.graph === null || overlay === null) return null;
  return (
    <table className={styles.list}>
      <thead>
        <tr>
          <th>Node</th>
          <th>Kind</th>
          <th>Status</th>
          <th>Visits</th>
          <th>Retries</th>
          <th>Took</th>
        </tr>
      </thead>
      <tbody>
        {log.graph.graph.nodes
          .filter(({ node }) => node !== null)
          .map((node) => (
            <Row key={node.id} node={node} overlay={overlay} isSelected={node.node === selected} onSelect={selectNode} />
          ))}
      </tbody>
    </table>
  );
}

interface RowProps {
  readonly node: GraphNode;
  readonly overlay: GraphOverlay;
  readonly isSelected: boolean;
  readonly onSelect: (node: string | null) => void;
}

const Row = memo(function Row({ node, overlay, isSelected, onSelect }: RowProps) {
  const subscribe = useCallback((listener: () => void) => overlay.subscribe(node.id, listener), [overlay, node.id]);
  const done = useSyncExternalStore(subscribe, () => overlay.overlayOf(node.id));
  return (
    <tr aria-current={isSelected}>
      <td>
        <button type="button" className={styles.name} onClick={() => onSelect(isSelected ? null : node.node)}>
          <Name text={node.title} maxChars={80} />
        </button>
      </td>
      <td>{node.kind?.replaceAll('_', ' ')}</td>
      <td>{done === null ? '' : <StatusBadge status={done.status} />}</td>
      <td>{done?.visits}</td>
      <td>{done?.retries}</td>
      <td>
        {done?.durationMs != null
          ? duration(done.durationMs)
          : done?.sinceMs != null && done.status !== 'done' && <Elapsed from={new Date(done.sinceMs).toISOString()} to={null} />}
      </td>
    </tr>
  );
});
