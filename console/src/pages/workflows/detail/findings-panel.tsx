import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import type { WorkflowDetail } from '../../../../../src/client/index.ts';
import { Empty } from '../../../components/empty.tsx';
import { ErrorNotice } from '../../../components/error-notice.tsx';
import { Loading } from '../../../components/loading.tsx';
import { Name } from '../../../components/name.tsx';
import { useSession } from '../../../session/session.ts';
import { workflowPath } from '../paths.ts';
import { SeverityBadge } from '../severity-badge.tsx';
import styles from './detail.module.css';

const LIMITS = { steps: 'number of steps', paths: 'number of paths', values: 'number of values', time: 'time' } as const;

/** What an exploration of all paths has found, and the warnings of the registration. */
export function FindingsPanel({ workflow: { workflow_id, revision } }: { readonly workflow: WorkflowDetail }) {
  const { client } = useSession();
  const { data, error, refetch } = useQuery({
    queryKey: ['findings', workflow_id, revision],
    queryFn: ({ signal }) => client.findings(workflow_id, { revision }, { signal }),
  });
  if (error !== null) return <ErrorNotice error={error} onRetry={() => void refetch()} />;
  if (data === undefined) return <Loading what="the findings; the first analysis of a revision can take seconds" />;
  const { findings, paths, states, complete, bounded } = data;
  return (
    <div className={styles.panel}>
      <p className={styles.summary}>
        {paths.toLocaleString()} {paths === 1 ? 'path' : 'paths'} from the start to an end, {states.toLocaleString()}{' '}
        {states === 1 ? 'state' : 'states'} explored.{' '}
        {complete
          ? 'Everything was explored.'
          : `Not everything was explored (limit: ${bounded.map((each) => LIMITS[each]).join(', ')}): findings may be missing.`}
      </p>
      {findings.length === 0 ? (
        <Empty title="Nothing was found" />
      ) : (
        <ul className={styles.findings} aria-label="Findings">
          {findings.map(({ code, severity, message, hint, node_id, path }, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the findings of a revision do not change
            <li key={at}>
              <SeverityBadge severity={severity} />
              <div>
                <p>
                  <Name text={message} maxChars={1_000} />
                </p>
                {hint !== null && (
                  <p className={styles.hint}>
                    <Name text={hint} maxChars={600} />
                  </p>
                )}
                <p className={styles.hint}>
                  <code>{code}</code>
                  {path !== null && (
                    <>
                      {' · '}
                      <Name text={path} maxChars={200} />
                    </>
                  )}
                  {node_id !== null && (
                    <>
                      {' · '}
                      <Link href={`${workflowPath(workflow_id, { revision })}&node=${encodeURIComponent(node_id)}`}>
                        Show <Name text={node_id} maxChars={60} />
                      </Link>
                    </>
                  )}
                </p>
              </div>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
