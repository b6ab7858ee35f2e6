import { useCallback, useMemo } from 'react';
import type { JsonObject } from '../../../../machines/json.ts';
import type { Execution } from '../../../../src/api/operations/executions.ts';
import { ErrorNotice } from '../../components/error-notice.tsx';
import { Splitter, useSplit } from '../../components/splitter.tsx';
import { Tabs } from '../../components/tabs.tsx';
import { useParameters } from '../../routing/hash-location.ts';
import styles from './execution-page.module.css';
import { type AttemptPlace, type ExecutionView, ExecutionViewContext } from './execution-view.ts';
import { GraphPane } from './graph/graph-pane.tsx';
import { ExecutionHeader } from './header/execution-header.tsx';
import { useExecutionLog } from './log/use-execution-log.ts';
import { NodePanel } from './node/node-panel.tsx';
import { TABS } from './parts.tsx';

interface Props {
  readonly execution: Execution;
  readonly document: JsonObject;
}

/** The page of an execution that has been loaded. What is selected is in the URL. */
export function ExecutionParts({ execution, document }: Props) {
  const { id } = execution;
  const { log, stream, retry } = useExecutionLog(id, document);
  const [parameters, change] = useParameters();
  const node = parameters.get('node');
  const attempt = parameters.get('attempt');
  const at = sequenceOf(parameters.get('at'));
  const tab = parameters.get('tab') ?? 'timeline';

  const [columns, setColumns] = useSplit('columns', 45);
  const [rows, setRows] = useSplit('rows', 52);

  const setAt = useCallback((sequence: number | null) => change({ at: sequence?.toString() }), [change]);
  // To select a node opens a place to which Back leads away; to go on from one to another adjusts it.
  const selectNode = useCallback<ExecutionView['selectNode']>(
    (next, place) =>
      change(
        { node: next ?? undefined, attempt: place === undefined ? undefined : `${place.activation}.${place.attempt}` },
        { push: node === null },
      ),
    [change, node],
  );
  const openTab = useCallback((next: string) => change({ tab: next === 'timeline' ? undefined : next }), [change]);
  const view = useMemo(
    (): ExecutionView => ({
      id,
      execution,
      document,
      log,
      at,
      node,
      attempt: placeOf(attempt),
      setAt,
      selectNode,
      openTab,
    }),
    [id, execution, document, log, at, node, attempt, setAt, selectNode, openTab],
  );

  return (
    <ExecutionViewContext.Provider value={view}>
      <div className={styles.page}>
        <div className={styles.header}>
          <ExecutionHeader stream={stream} />
          {stream.state === 'closed' && stream.error !== null && <ErrorNotice error={stream.error} onRetry={retry} />}
        </div>
        <div className={styles.rows} style={node === null ? {} : { gridTemplateRows: tracks(rows) }}>
          <div className={styles.columns} style={{ gridTemplateColumns: tracks(columns) }}>
            <GraphPane />
            <Splitter label="Width of the graph" orientation="vertical" value={columns} onChange={setColumns} />
            <div className={styles.tabs}>
              <Tabs label="Views of the execution" tabs={TABS} selected={tab} onSelect={openTab} />
            </div>
          </div>
          {node !== null && (
            <>
              <Splitter label="Height of the graph" orientation="horizontal" value={rows} onChange={setRows} />
              <NodePanel key={node} node={node} />
            </>
          )}
        </div>
      </div>
    </ExecutionViewContext.Provider>
  );
}

/** Two parts with a splitter between. */
function tracks(first: number): string {
  return `minmax(0, ${first}fr) 0.7rem minmax(0, ${100 - first}fr)`;
}

function sequenceOf(text: string | null): number | null {
  return text !== null && /^[1-9]\d{0,15}$/.test(text) ? Number(text) : null;
}

function placeOf(text: string | null): AttemptPlace | null {
  const [, activation, attempt] = /^(\d{1,9})\.(\d{1,9})$/.exec(text ?? '') ?? [];
  return activation === undefined || attempt === undefined ? null : { activation: Number(activation), attempt: Number(attempt) };
}
