import { lazy, Suspense } from 'react';
import { isObject, type Json } from '../../../../../machines/json.ts';
import { oneLine } from '../../../../../machines/views/text.ts';
import type { WorkflowDetail } from '../../../../../src/client/index.ts';
import { JsonView } from '../../../components/json-view.tsx';
import { Loading } from '../../../components/loading.tsx';
import { Name } from '../../../components/name.tsx';
import { ViewChoice } from '../../../components/view-choice.tsx';
import { useParameters } from '../../../routing/hash-location.ts';
import styles from './detail.module.css';
import { DrawnMachine } from './drawn-machine.tsx';

// Draws with machines/ and a layout of its own: heavy.
const RevisionGraph = lazy(async () => ({ default: (await import('../graph/revision-graph.tsx')).RevisionGraph }));

const VIEWS = [
  ['graph', 'Graph'],
  ['machine', 'Machine'],
] as const;

/** Nodes and edges as written, or the states of the compiled machine; and the definition of the selected node. */
export function StructurePanel({ workflow }: { readonly workflow: WorkflowDetail }) {
  const [parameters, setParameters] = useParameters();
  const view = parameters.get('view') === 'machine' ? 'machine' : 'graph';
  const node = parameters.get('node');
  return (
    <>
      <ViewChoice
        className={styles.views}
        views={VIEWS}
        chosen={view}
        onChoose={(id) => setParameters({ view: id === 'graph' ? undefined : id })}
      />
      {view === 'machine' ? (
        <DrawnMachine workflow={workflow} />
      ) : (
        <div className={styles.structure}>
          <div className={styles.canvas}>
            <Suspense fallback={<Loading what="the graph" />}>
              <RevisionGraph
                document={workflow.ir}
                revision={workflow.revision}
                selected={node}
                onSelect={(next) => setParameters({ node: next === node ? undefined : next })}
                label="Graph of the workflow. Arrow keys move between nodes."
              />
            </Suspense>
          </div>
          <SelectedNode id={node} definition={node === null ? undefined : nodeOf(workflow, node)} />
        </div>
      )}
    </>
  );
}

function SelectedNode({ id, definition }: { readonly id: string | null; readonly definition: Json | undefined }) {
  return (
    <section className={styles.node} aria-label="Selected node">
      {id === null || definition === undefined ? (
        <p className={styles.summary}>
          {id === null ? 'Select a node to see its definition.' : 'The workflow has no such node.'}
        </p>
      ) : (
        <>
          <h2>
            <Name text={id} maxChars={120} />
          </h2>
          <JsonView value={definition} label={`definition of ${oneLine(id, 80)}`} />
        </>
      )}
    </section>
  );
}

function nodeOf({ ir }: WorkflowDetail, id: string): Json | undefined {
  return isObject(ir.nodes) && Object.hasOwn(ir.nodes, id) ? ir.nodes[id] : undefined;
}
