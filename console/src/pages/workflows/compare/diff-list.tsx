import type { JsonObject } from '../../../../../machines/json.ts';
import type { NodeDiff, WorkflowDiff } from '../../../../../src/views/workflow-diff.ts';
import { Name } from '../../../components/name.tsx';
import { Changes } from '../../../components/state/changes.tsx';
import styles from './compare.module.css';

const MAX_SHOWN = 300;
const ORDER = { removed: 0, added: 1, changed: 2 } as const;

/** What changed, in words: nodes with their fields, edges, and settings. */
export function DiffList({ diff: { settings, nodes, edges, reordered } }: { readonly diff: WorkflowDiff }) {
  const sorted = [...nodes].sort((a, b) => ORDER[a.change] - ORDER[b.change]);
  return (
    <div className={styles.lists}>
      {sorted.length > 0 && (
        <section aria-label="Nodes">
          <h2>Nodes</h2>
          <ul className={styles.nodes}>
            {sorted.slice(0, MAX_SHOWN).map((node) => (
              <NodeChange key={node.id} node={node} />
            ))}
          </ul>
          {sorted.length > MAX_SHOWN && <p>… and {(sorted.length - MAX_SHOWN).toLocaleString()} more.</p>}
        </section>
      )}
      {edges.removed.length + edges.added.length > 0 && (
        <section aria-label="Edges">
          <h2>Edges</h2>
          <ul className={styles.nodes}>
            {edges.removed.slice(0, MAX_SHOWN).map((edge, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the edges of a comparison do not change
              <EdgeChange key={`removed ${at}`} change="removed" edge={edge} />
            ))}
            {edges.added.slice(0, MAX_SHOWN).map((edge, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the edges of a comparison do not change
              <EdgeChange key={`added ${at}`} change="added" edge={edge} />
            ))}
          </ul>
        </section>
      )}
      {settings.length > 0 && (
        <section aria-label="Settings">
          <h2>Settings</h2>
          <Changes changes={settings} none="" />
        </section>
      )}
      {reordered && <p>The nodes are the same and written in another order, which decides which of several begins first.</p>}
    </div>
  );
}

function NodeChange({ node: { id, change, kind, changes } }: { readonly node: NodeDiff }) {
  return (
    <li>
      <p className={styles.change}>
        <span className={styles[change]}>{change}</span> <Name text={id} maxChars={160} />{' '}
        <span className={styles.kind}>{kind.replaceAll('_', ' ')}</span>
      </p>
      {changes.length > 0 && <Changes changes={changes} none="" />}
    </li>
  );
}

function EdgeChange({ change, edge }: { readonly change: 'added' | 'removed'; readonly edge: JsonObject }) {
  const { from, to, condition } = edge;
  return (
    <li>
      <p className={styles.change}>
        <span className={styles[change]}>{change}</span> <Name text={String(from)} maxChars={100} /> →{' '}
        <Name text={String(to)} maxChars={100} />
        {typeof condition === 'string' && (
          <code>
            <Name text={condition} maxChars={200} />
          </code>
        )}
      </p>
    </li>
  );
}
