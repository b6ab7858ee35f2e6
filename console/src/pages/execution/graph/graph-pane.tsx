import { lazy, Suspense, useCallback, useState } from 'react';
import { Button } from '../../../components/button.tsx';
import { download } from '../../../components/download-button.tsx';
import { Empty } from '../../../components/empty.tsx';
import { messageOf } from '../../../components/error-notice.tsx';
import { Loading } from '../../../components/loading.tsx';
import { useNotices } from '../../../components/notices.tsx';
import { ViewChoice } from '../../../components/view-choice.tsx';
import { useParameters } from '../../../routing/hash-location.ts';
import { useSession } from '../../../session/session.ts';
import { useExecutionView } from '../execution-view.ts';
import styles from './graph-pane.module.css';
import { MachineView } from './machine-view.tsx';
import { NodeList } from './node-list.tsx';
import { useGraphOverlay } from './use-graph-overlay.ts';

const WorkflowGraph = lazy(async () => ({
  default: (await import('../../../components/graph/workflow-graph.tsx')).WorkflowGraph,
}));

const VIEWS = [
  ['graph', 'Graph'],
  ['list', 'List'],
  ['machine', 'Machine'],
] as const;

/** The workflow with what the execution did: as a graph, as a list, or as its machine; and as a picture to keep. */
export function GraphPane() {
  const { at, setAt } = useExecutionView();
  const [parameters, change] = useParameters();
  const view = VIEWS.find(([id]) => id === parameters.get('view'))?.[0] ?? 'graph';
  return (
    <section className={styles.pane} aria-label="Workflow">
      <div className={styles.tools}>
        <ViewChoice
          className={styles.views}
          views={VIEWS}
          chosen={view}
          onChoose={(id) => change({ view: id === 'graph' ? undefined : id })}
        />
        {at !== null && (
          <span className={styles.at}>
            at event {at.toLocaleString()}{' '}
            <Button kind="quiet" onClick={() => setAt(null)}>
              Now
            </Button>
          </span>
        )}
        <Pictures view={view === 'machine' ? 'machine' : 'workflow'} />
      </div>
      <div className={styles.content}>{view === 'graph' ? <Graph /> : view === 'list' ? <NodeList /> : <MachineView />}</div>
    </section>
  );
}

function Graph() {
  const { log, execution, node, selectNode } = useExecutionView();
  const overlay = useGraphOverlay();
  const select = useCallback((next: string) => selectNode(next === node ? null : next), [selectNode, node]);
  if (log.graph === null)
    return (
      <Empty title="The workflow cannot be drawn">
        <p>{messageOf(log.problem)}</p>
      </Empty>
    );
  return (
    <Suspense fallback={<Loading what="the graph" />}>
      <WorkflowGraph
        graph={log.graph.graph}
        layoutKey={execution.revision}
        overlay={overlay}
        selected={node}
        onSelect={select}
        label="Graph of the workflow. Arrow keys move between nodes."
      />
    </Suspense>
  );
}

/** Pictures of the graph or the machine as they are shown, made by the server. */
function Pictures({ view }: { readonly view: 'workflow' | 'machine' }) {
  const { id, at } = useExecutionView();
  const { client } = useSession();
  const notices = useNotices();
  const [isBusy, setBusy] = useState(false);
  const save = async (format: 'svg' | 'png'): Promise<void> => {
    setBusy(true);
    try {
      const picture = await client.diagrams.execution(id, { format, view, ...(at === null ? {} : { at }) });
      const type = format === 'svg' ? 'image/svg+xml' : 'image/png';
      download(new Blob([picture.bytes as Uint8Array<ArrayBuffer>], { type }), `${id}${at === null ? '' : `-${at}`}.${format}`);
    } catch (error) {
      notices.failed(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <span className={styles.pictures}>
      {(['svg', 'png'] as const).map((format) => (
        <Button
          key={format}
          kind="quiet"
          disabled={isBusy}
          aria-label={`Download the picture as ${format.toUpperCase()}`}
          onClick={() => void save(format)}
        >
          {format.toUpperCase()} ↓
        </Button>
      ))}
    </span>
  );
}
