import { useQuery } from '@tanstack/react-query';
import { useParams } from 'wouter';
import { ApiError } from '../../../../src/client/index.ts';
import { Empty } from '../../components/empty.tsx';
import { ErrorNotice } from '../../components/error-notice.tsx';
import { Loading } from '../../components/loading.tsx';
import { Page } from '../../components/page.tsx';
import { useLiveQuery } from '../../live/use-live-query.ts';
import { useSession } from '../../session/session.ts';
import { ExecutionParts } from './execution-parts.tsx';

/** One execution: what it has done, does, and why. */
export function ExecutionPage() {
  const { id = '' } = useParams<{ readonly id: string }>();
  // Another execution is another page: nothing of the one before stays.
  return <LoadedExecution key={id} id={id} />;
}

function LoadedExecution({ id }: { readonly id: string }) {
  const { client } = useSession();
  const execution = useLiveQuery({
    queryKey: ['execution', id],
    queryFn: ({ signal }) => client.execution(id, { signal }),
    changedBy: (event) => event.execution_id === id && (event.node_id === null || SETTLING.has(event.type)),
  });
  const { workflow_id: workflowId = '', revision = '' } = execution.data ?? {};
  const workflow = useQuery({
    queryKey: ['revision', workflowId, revision],
    queryFn: ({ signal }) => client.revision(workflowId, revision, { signal }),
    enabled: execution.data !== undefined,
  });

  if (execution.data !== undefined && workflow.data !== undefined)
    return <ExecutionParts execution={execution.data} document={workflow.data.ir} />;
  const error = execution.error ?? workflow.error;
  const isMissing = execution.error instanceof ApiError && [400, 404].includes(execution.error.status);
  return (
    <Page title="Execution">
      {isMissing ? (
        <Empty title="There is no such execution">
          <p>It may belong to another tenant, or its data has been deleted.</p>
          <a href="#/executions">Executions</a>
        </Empty>
      ) : error === null ? (
        <Loading what="the execution" />
      ) : (
        <ErrorNotice error={error} onRetry={() => void (execution.isError ? execution.refetch() : workflow.refetch())} />
      )}
    </Page>
  );
}

/** Events of nodes after which the execution may be paused or go on. */
const SETTLING: ReadonlySet<string> = new Set([
  'interrupt_raised',
  'tool_approval_required',
  'approval_received',
  'timer_created',
  'timer_fired',
  'child_workflow_paused',
  'child_workflow_resumed',
]);
