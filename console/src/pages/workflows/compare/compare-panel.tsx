import { lazy, Suspense, useId } from 'react';
import { oneLine } from '../../../../../machines/views/text.ts';
import type { WorkflowDetail, WorkflowRevisions } from '../../../../../src/client/index.ts';
import { Empty } from '../../../components/empty.tsx';
import { ErrorNotice } from '../../../components/error-notice.tsx';
import { Loading } from '../../../components/loading.tsx';
import { useFreshQuery } from '../../../live/use-fresh-query.ts';
import { useParameters } from '../../../routing/hash-location.ts';
import { useSession } from '../../../session/session.ts';
import styles from './compare.module.css';

// Draws two graphs: heavy.
const Comparison = lazy(async () => ({ default: (await import('./comparison.tsx')).Comparison }));

const MAX_REVISIONS = 500;

/** Two revisions side by side: the one that is shown, and another one. */
export function ComparePanel({ workflow }: { readonly workflow: WorkflowDetail }) {
  const { client } = useSession();
  const [parameters, setParameters] = useParameters();
  const { workflow_id: id, revision: shown } = workflow;
  const list = useFreshQuery({
    queryKey: ['revisions', id, MAX_REVISIONS],
    queryFn: ({ signal }) => client.revisions(id, { limit: MAX_REVISIONS }, { signal }),
  });
  const revisions = unique(list.data?.revisions ?? []);
  const to = parameters.get('to') ?? shown;
  const from = parameters.get('from') ?? before(revisions, to);
  if (list.error !== null) return <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />;
  if (list.data === undefined) return <Loading what="revisions" />;
  if (from === undefined)
    return (
      <Empty title="There is nothing to compare with">
        <p>The workflow was registered with one content only.</p>
      </Empty>
    );
  return (
    <>
      <div className={styles.choice}>
        <Choice label="From" revisions={revisions} chosen={from} onChange={(next) => setParameters({ from: next, to })} />
        <Choice label="To" revisions={revisions} chosen={to} onChange={(next) => setParameters({ from, to: next })} />
      </div>
      <Suspense fallback={<Loading what="the comparison" />}>
        <Comparison workflowId={id} from={from} to={to} />
      </Suspense>
    </>
  );
}

type Revision = WorkflowRevisions['revisions'][number];

interface ChoiceProps {
  readonly label: string;
  readonly revisions: readonly Revision[];
  readonly chosen: string;
  readonly onChange: (revision: string) => void;
}

function Choice({ label, revisions, chosen, onChange }: ChoiceProps) {
  const id = useId();
  const isListed = revisions.some(({ revision }) => revision === chosen);
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <select id={id} value={chosen} onChange={({ target }) => onChange(target.value)}>
        {!isListed && <option value={chosen}>{chosen.slice(0, 12)}</option>}
        {revisions.map(({ version, revision, current, registered_at }) => (
          <option key={revision} value={revision}>
            {oneLine(version, 40)} · {revision.slice(0, 8)} · {new Date(registered_at).toLocaleDateString()}
            {current ? '' : ' · replaced'}
          </option>
        ))}
      </select>
    </div>
  );
}

/** Content that was registered under several versions is listed once. */
function unique(revisions: readonly Revision[]): readonly Revision[] {
  return [...new Map([...revisions].reverse().map((each) => [each.revision, each])).values()].reverse();
}

/** The revision that was registered before another one, else any other. */
function before(revisions: readonly Revision[], revision: string): string | undefined {
  const at = revisions.findIndex((each) => each.revision === revision);
  return (revisions[at + 1] ?? revisions.find((each) => each.revision !== revision))?.revision;
}
