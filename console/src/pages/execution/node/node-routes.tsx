import type { NodeVisit } from '../../../../../machines/history/node-visit.ts';
import { JsonText } from '../../../components/json-text.tsx';
import { Name } from '../../../components/name.tsx';
import { StatusBadge } from '../../../components/status-badge.tsx';
import { Time } from '../../../components/time.tsx';
import { useExecutionView } from '../execution-view.ts';
import styles from './node-panel.module.css';

/** What a visit asked and led to: questions with their decisions, conditions as they were evaluated, edges that were followed. */
export function NodeRoutes({ visit }: { readonly visit: NodeVisit }) {
  const { question, decisions = [], blocked_by: rule, evaluated = [], taken } = visit;
  return (
    <>
      {question !== undefined && (
        <section>
          <h3>Question</h3>
          <p>
            <Name text={question} maxChars={2_000} />
          </p>
        </section>
      )}
      {decisions.length > 0 && (
        <section>
          <h3>{decisions.length === 1 ? 'Decision' : 'Decisions'}</h3>
          <ul className={styles.plain}>
            {decisions.map(({ decision, user_id, comment, decided_at }) => (
              <li key={decided_at + user_id}>
                <StatusBadge status={decision} /> by <Name text={user_id} maxChars={80} />, <Time at={decided_at} />
                {comment !== null && (
                  <>
                    : <Name text={comment} maxChars={1_000} />
                  </>
                )}
              </li>
            ))}
          </ul>
        </section>
      )}
      {rule !== undefined && (
        <p>
          Blocked by the policy rule <Name text={rule} maxChars={200} />.
        </p>
      )}
      {evaluated.length > 0 && (
        <section>
          <h3>Conditions</h3>
          <table>
            <thead>
              <tr>
                <th>Condition</th>
                <th>Value</th>
                <th>Leads to</th>
              </tr>
            </thead>
            <tbody>
              {evaluated.map(({ target, condition, value, problem }, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: two edges may have the same condition
                <tr key={index}>
                  <td>
                    <code>
                      <Name text={condition} maxChars={400} />
                    </code>
                  </td>
                  <td>
                    {problem === undefined ? (
                      <JsonText value={value ?? null} />
                    ) : (
                      <span className={styles.problem}>
                        <Name text={problem} maxChars={400} />, so false
                      </span>
                    )}
                  </td>
                  <td>
                    <Target node={target} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {taken !== undefined && (
        <section>
          <h3>Went on to</h3>
          <p className={styles.taken}>
            {taken.length === 0 && <span className={styles.muted}>nothing</span>}
            {taken.map((target) => (
              <Target key={target} node={target} />
            ))}
          </p>
        </section>
      )}
    </>
  );
}

function Target({ node }: { readonly node: string }) {
  const { selectNode, document } = useExecutionView();
  const nodes = document.nodes;
  const isNode = typeof nodes === 'object' && nodes !== null && Object.hasOwn(nodes, node);
  if (!isNode) return <Name text={node} maxChars={60} />;
  return (
    <button type="button" className={styles.target} onClick={() => selectNode(node)}>
      <Name text={node} maxChars={60} />
    </button>
  );
}
