import '@xyflow/react/dist/base.css';
import {
  type Edge,
  MiniMap,
  type Node,
  Panel,
  ReactFlow,
  type ReactFlowInstance,
  ReactFlowProvider,
  useNodesInitialized,
  useReactFlow,
} from '@xyflow/react';
import { type KeyboardEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { WorkflowGraph as Graph } from '../../../../src/views/graph.ts';
import { Button } from '../button.tsx';
import { ErrorNotice } from '../error-notice.tsx';
import { Loading } from '../loading.tsx';
import styles from './graph.module.css';
import { GraphEdges } from './graph-edges.tsx';
import { type GraphLayout, layoutOf } from './graph-layout.ts';
import { FrameShape, type GraphMarks, type GraphSelection, GraphSelectionContext, NodeShape } from './graph-node.tsx';
import type { GraphOverlay } from './graph-overlay.ts';
import { nextNode, type PlacedNode, placesOf } from './next-node.ts';

const TYPES = { node: NodeShape, frame: FrameShape };
/** Larger graphs have a map. */
const MIN_FOR_MAP = 40;
const FIT = { padding: 0.06, maxZoom: 1.1 };
/** Below this zoom, names cannot be read: a larger graph is shown from its beginning. */
const MIN_READABLE = 0.5;
/** Beside the selected node, its neighbours should be legible as well. */
const MIN_SELECTED = 0.75;

interface Props {
  readonly graph: Graph;
  /** Identifies the graph: its revision. */
  readonly layoutKey: string;
  /** Null = no execution is shown. */
  readonly overlay: GraphOverlay | null;
  /** What a comparison says of nodes. Default: nothing. */
  readonly marks?: GraphMarks | null;
  /** Node of the workflow. */
  readonly selected: string | null;
  readonly onSelect: (node: string) => void;
  readonly label: string;
}

/**
 * The graph of a workflow to pan and zoom. Arrow keys move between nodes. Only nodes and edges whose overlay changes are rendered again.
 * Loaded by `import()`: it and the layout are heavy.
 */
export function WorkflowGraph(props: Props) {
  const { graph, layoutKey } = props;
  const [layout, setLayout] = useState<GraphLayout | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [round, setRound] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another round tries again
  useEffect(() => {
    let isGone = false;
    setError(null);
    layoutOf(layoutKey, graph).then(
      (made) => !isGone && setLayout(made),
      (problem: unknown) => !isGone && setError(problem),
    );
    return () => {
      isGone = true;
    };
  }, [layoutKey, graph, round]);
  if (error !== null) return <ErrorNotice error={error} onRetry={() => setRound(round + 1)} />;
  if (layout === null || layout.nodes.size !== graph.nodes.length) return <Loading what="the graph" />;
  return (
    <ReactFlowProvider>
      <LaidOut {...props} layout={layout} />
    </ReactFlowProvider>
  );
}

function LaidOut({ graph, layout, overlay, marks = null, selected, onSelect, label }: Props & { readonly layout: GraphLayout }) {
  const flow = useReactFlow();
  const nodes = useMemo(() => flowNodes(graph, layout), [graph, layout]);
  const first = graph.nodes.find(({ node }) => node !== null)?.id ?? null;
  const [cursor, setCursor] = useState<string | null>(null);
  const selectedId = graph.nodes.find(({ node }) => node === selected && node !== null)?.id ?? null;
  const focusable = cursor ?? selectedId ?? first;
  const selection = useMemo(
    (): GraphSelection => ({ overlay, marks, selected, focusable, onSelect, onFocus: setCursor }),
    [overlay, marks, selected, focusable, onSelect],
  );

  const frame = useRef<HTMLElement>(null);
  const reveal = useCallback(
    (place: PlacedNode): void => {
      const { x, y, zoom } = flow.getViewport();
      const box = frame.current?.getBoundingClientRect();
      if (box === undefined) return;
      const left = place.x * zoom + x;
      const top = place.y * zoom + y;
      const isInside = left >= 0 && top >= 0 && left + place.width * zoom <= box.width && top + place.height * zoom <= box.height;
      if (isInside && zoom >= MIN_SELECTED) return;
      const nearer = Math.max(zoom, MIN_SELECTED);
      // `setCenter` would take the size that the flow had before a panel was opened.
      void flow.setViewport({
        x: box.width / 2 - (place.x + place.width / 2) * nearer,
        y: box.height / 2 - (place.y + place.height / 2) * nearer,
        zoom: nearer,
      });
    },
    [flow],
  );
  const move = (event: KeyboardEvent<HTMLElement>): void => {
    const to = nextNode(event.key, focusable, nodes);
    if (to === null) return;
    event.preventDefault();
    setCursor(to.id);
    reveal(to);
    frame.current?.querySelector<HTMLElement>(`[data-node="${to.id}"]`)?.focus({ preventScroll: true });
  };
  const isReady = useNodesInitialized();
  // A node may be selected elsewhere, and the panel about it takes some of the room.
  useEffect(() => {
    const place = placesOf(nodes).find(({ id }) => id === selectedId);
    if (!isReady || place === undefined || frame.current === null) return;
    const observer = new ResizeObserver(() => reveal(place));
    observer.observe(frame.current);
    return () => observer.disconnect();
  }, [isReady, nodes, selectedId, reveal]);

  return (
    <section ref={frame} className={styles.graph} aria-label={label} onKeyDown={move}>
      <GraphSelectionContext.Provider value={selection}>
        <ReactFlow
          nodes={nodes}
          edges={NO_EDGES}
          nodeTypes={TYPES}
          onInit={(started) => void showAtFirst(started, layout, selectedId === null)}
          minZoom={0.05}
          maxZoom={2}
          nodesDraggable={false}
          nodesConnectable={false}
          nodesFocusable={false}
          edgesFocusable={false}
          elementsSelectable={false}
          disableKeyboardA11y
          zoomOnDoubleClick={false}
          deleteKeyCode={null}
          selectionKeyCode={null}
          multiSelectionKeyCode={null}
        >
          <GraphEdges edges={graph.edges} layout={layout} overlay={overlay} />
          <Panel position="bottom-left" className={styles.controls ?? ''}>
            <Button kind="quiet" aria-label="Zoom the graph in" onClick={() => void flow.zoomIn()}>
              +
            </Button>
            <Button kind="quiet" aria-label="Zoom the graph out" onClick={() => void flow.zoomOut()}>
              −
            </Button>
            <Button kind="quiet" aria-label="Fit the graph" onClick={() => void flow.fitView(FIT)}>
              Fit
            </Button>
          </Panel>
          {graph.nodes.length > MIN_FOR_MAP && (
            <MiniMap pannable zoomable ariaLabel="Map of the graph" className={styles.map ?? ''} nodeStrokeWidth={0} />
          )}
        </ReactFlow>
      </GraphSelectionContext.Provider>
    </section>
  );
}

/** All of it; a large graph from its beginning, unless a node is selected. */
async function showAtFirst(flow: ReactFlowInstance, layout: GraphLayout, fromStart: boolean): Promise<void> {
  await flow.fitView(FIT);
  const start = [...layout.nodes.values()].reduce((top, box) => (box.y < top.y ? box : top));
  const { zoom, y } = flow.getViewport();
  if (zoom >= MIN_READABLE || !fromStart) return;
  await flow.setCenter(start.x + start.width / 2, 0, { zoom: MIN_READABLE });
  await flow.setViewport({ ...flow.getViewport(), y: Math.max(8, Math.min(y, 24)) });
}

const NO_EDGES: Edge[] = [];

function flowNodes(graph: Graph, layout: GraphLayout): Node[] {
  const frames = graph.frames.map(({ key, label, parent }): Node => {
    const { x, y, width, height } = layout.frames.get(key) ?? NOWHERE;
    const inside = parent === null ? {} : { parentId: parent };
    return { id: key, type: 'frame', position: { x, y }, width, height, data: { label }, ...inside };
  });
  const nodes = graph.nodes.map((node): Node => {
    const { x, y, width, height } = layout.nodes.get(node.id) ?? NOWHERE;
    const inside = node.frame === null ? {} : { parentId: node.frame };
    return { id: node.id, type: 'node', position: { x, y }, width, height, data: { node }, ...inside };
  });
  return [...frames, ...nodes];
}

const NOWHERE = { x: 0, y: 0, width: 0, height: 0 };
