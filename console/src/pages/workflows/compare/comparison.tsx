import { useQueries } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { JsonObject } from '../../../../../machines/json.ts';
import { ApiError, type WorkflowDetail } from '../../../../../src/client/index.ts';
import { isSameWorkflow, workflowDiff } from '../../../../../src/views/workflow-diff.ts';
import { Empty } from '../../../components/empty.tsx';
import { ErrorNotice } from '../../../components/error-notice.tsx';
import type { GraphMark } from '../../../components/graph/graph-node.tsx';
import { Loading } from '../../../components/loading.tsx';
import { Name } from '../../../components/name.tsx';
import { useParameters } from '../../../routing/hash-location.ts';
import { useSession } from '../../../session/session.ts';
import { RevisionGraph } from '../graph/revision-graph.tsx';
import styles from './compare.module.css';
import { DiffList } from './diff-list.tsx';

interface Props {
  readonly workflowId: string;
  readonly from: string;
  readonly to: string;
}

/** How one revision differs from another: what changed, and both graphs. */
export function Comparison({ workflowId, from, to }: Props) {
  const { client } = useSession();
  const [before, after] = useQueries({
    queries: [from, to].map((revision) => ({
      queryKey: ['workflow', workflowId, null, revision],
      queryFn: ({ signal }: { readonly signal: AbortSignal }) => client.revision(workflowId, revision, { signal }),
    })),
  });
  const failed = [before, after].find((query) => query?.error != null);
  if (failed?.error != null)
    return (
      <ErrorNotice
        error={failed.error}
        {...(failed.error instanceof ApiError && failed.error.status === 404 ? {} : { onRetry: () => void failed.refetch() })}
      />
    );
  if (before?.data === undefined || after?.data === undefined) return <Loading what="the revisions" />;
  return <Compared before={before.data} after={after.data} />;
}

function Compared({ before, after }: { readonly before: WorkflowDetail; readonly after: WorkflowDetail }) {
  const diff = useMemo(() => workflowDiff(before.ir, after.ir), [before, after]);
  const marks = useMemo(() => {
    const of = (...changes: readonly GraphMark[]): ReadonlyMap<string, GraphMark> =>
      new Map(diff.nodes.filter(({ change }) => changes.includes(change)).map(({ id, change }) => [id, change]));
    return { before: of('removed', 'changed'), after: of('added', 'changed') };
  }, [diff]);
  if (isSameWorkflow(diff)) return <Empty title="They are the same" />;
  return (
    <>
      <div className={styles.graphs}>
        <Side title="Before" workflow={before} document={before.ir} marks={marks.before} />
        <Side title="After" workflow={after} document={after.ir} marks={marks.after} />
      </div>
      <DiffList diff={diff} />
    </>
  );
}

interface SideProps {
  readonly title: string;
  readonly workflow: WorkflowDetail;
  readonly document: JsonObject;
  readonly marks: ReadonlyMap<string, GraphMark>;
}

function Side({ title, workflow: { version, revision }, document, marks }: SideProps) {
  const [parameters, setParameters] = useParameters();
  return (
    <section aria-label={title}>
      <h2>
        {title}: <Name text={version} maxChars={40} /> <code>{revision.slice(0, 8)}</code>
      </h2>
      <div className={styles.canvas}>
        <RevisionGraph
          document={document}
          revision={revision}
          marks={marks}
          selected={parameters.get('node')}
          onSelect={(node) => setParameters({ node })}
          label={`Graph of ${title.toLowerCase()}. Arrow keys move between nodes.`}
        />
      </div>
    </section>
  );
}
