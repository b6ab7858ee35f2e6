import { useEffect, useRef } from 'react';
import { isObject, type Json } from '../../../../../machines/json.ts';
import { oneLine } from '../../../../../machines/views/text.ts';
import { Button } from '../../../components/button.tsx';
import { JsonView } from '../../../components/json-view.tsx';
import { Name } from '../../../components/name.tsx';
import { StatusBadge } from '../../../components/status-badge.tsx';
import { useExecutionView } from '../execution-view.ts';
import { AttemptDetails } from './attempt-details.tsx';
import { AttemptList } from './attempt-list.tsx';
import { NodeItemsPanel } from './node-items.tsx';
import { NodeOperationsPanel } from './node-operations.tsx';
import styles from './node-panel.module.css';
import { useNodeVisits } from './use-node-visits.ts';

/** What the selected node did: its visits and attempts, and one of them in full. */
export function NodePanel({ node }: { readonly node: string }) {
  const { document, attempt: wanted, at, selectNode } = useExecutionView();
  const { visits, total, events, visit: visitOf } = useNodeVisits(node);
  const definition = definitionOf(document, node);
  const name = oneLine(node, 120);
  const visit = (wanted === null ? undefined : visitOf(wanted.activation)) ?? visits.at(-1);
  const attempt = visit?.attempts.find((each) => each.attempt === wanted?.attempt) ?? visit?.attempts.at(-1);

  // On a phone, the panel is below what was touched.
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    panel.current?.scrollIntoView({ block: 'nearest' });
  }, []);

  return (
    <section
      ref={panel}
      className={styles.panel}
      aria-label={`Node ${name}`}
      onKeyDown={(event) => {
        if (event.key === 'Escape') selectNode(null);
      }}
    >
      <header className={styles.header}>
        <h2>
          <Name text={node} maxChars={120} />
        </h2>
        {definition !== null && <code className={styles.kind}>{kindOf(definition)}</code>}
        {visit !== undefined && <StatusBadge status={visit.status} />}
        {at !== null && <span className={styles.muted}>at event {at.toLocaleString()}</span>}
        <Button kind="quiet" className={styles.close ?? ''} aria-label="Close the node" onClick={() => selectNode(null)}>
          ✕
        </Button>
      </header>
      <div className={styles.body}>
        {visit === undefined ? (
          <p className={styles.muted}>{definition === null ? 'The workflow has no such node.' : 'It has not been reached.'}</p>
        ) : (
          <>
            <AttemptList node={node} visits={visits} total={total} selected={{ visit, attempt }} />
            <AttemptDetails node={node} visit={visit} attempt={attempt} events={events} />
            <NodeItemsPanel node={node} visit={visit} events={events} />
            <NodeOperationsPanel key={`${node} ${visit.activation}`} visit={visit} events={events} />
          </>
        )}
        {definition !== null && (
          <details className={styles.definition}>
            <summary>Definition</summary>
            <JsonView value={definition} label={`Definition of ${name}`} />
          </details>
        )}
      </div>
    </section>
  );
}

function definitionOf(document: { readonly [key: string]: Json }, node: string): Json | null {
  const { nodes } = document;
  return isObject(nodes) && Object.hasOwn(nodes, node) ? (nodes[node] ?? null) : null;
}

function kindOf(definition: Json): string {
  const kind = isObject(definition) && isObject(definition.kind) ? definition.kind.type : null;
  return typeof kind === 'string' ? kind : 'node';
}
