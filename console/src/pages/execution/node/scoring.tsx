import { isObject, type JsonObject } from '../../../../../machines/json.ts';
import type { Event } from '../../../../../src/api/schemas/events.ts';
import { Name } from '../../../components/name.tsx';
import styles from './node-panel.module.css';

interface Props {
  readonly events: readonly Event[];
  readonly activation: number;
}

/** How a coordinator scored the agents that could do its task, and why it selected one. */
export function Scoring({ events, activation }: Props) {
  const own = events.filter(({ data }) => 'activation' in data && data.activation === activation);
  const scoring = own.findLast((event) => event.type === 'coordinator_scoring');
  const decision = own.findLast((event) => event.type === 'coordinator_decision');
  if (scoring?.type !== 'coordinator_scoring' && decision?.type !== 'coordinator_decision') return null;
  const rankings = scoring?.type === 'coordinator_scoring' ? (scoring.data.rankings as readonly JsonObject[]) : [];
  const criteria = [...new Set(rankings.flatMap(({ scores }) => (isObject(scores) ? Object.keys(scores) : [])))];
  const chosen = decision?.type === 'coordinator_decision' ? decision.data : null;
  return (
    <section>
      <h3>Selection of an agent</h3>
      {chosen !== null && (
        <p>
          {chosen.selected === null ? 'None was selected' : <Name text={chosen.selected} maxChars={200} />} (
          <Name text={chosen.method.replaceAll('_', ' ')} maxChars={60} />, confidence {chosen.confidence})
          {chosen.reasoning !== null && (
            <>
              : <Name text={chosen.reasoning} maxChars={1_000} />
            </>
          )}
        </p>
      )}
      {rankings.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        <section className={styles.scroll} tabIndex={0} aria-label="Scores">
          <table>
            <thead>
              <tr>
                <th>Agent</th>
                <th>Total</th>
                {criteria.map((criterion) => (
                  <th key={criterion}>
                    <Name text={criterion} maxChars={30} />
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rankings.map(({ uri, scores, composite }, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the order is that of the ranking
                <tr key={index}>
                  <td>
                    <Name text={String(uri)} maxChars={80} />
                  </td>
                  <td>{scoreText(composite)}</td>
                  {criteria.map((criterion) => (
                    <td key={criterion}>{isObject(scores) ? scoreText(scores[criterion]) : ''}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </section>
  );
}

function scoreText(score: unknown): string {
  return typeof score === 'number' ? score.toFixed(2) : '–';
}
