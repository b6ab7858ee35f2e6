import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { oneLine } from '../../../../machines/views/text.ts';
import type { WorkflowDetail } from '../../../../src/client/index.ts';
import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { Details } from '../../components/details.tsx';
import { ErrorNotice } from '../../components/error-notice.tsx';
import { Loading } from '../../components/loading.tsx';
import { Name } from '../../components/name.tsx';
import { Page } from '../../components/page.tsx';
import { Tabs } from '../../components/tabs.tsx';
import { Time } from '../../components/time.tsx';
import { useFreshQuery } from '../../live/use-fresh-query.ts';
import { navigate, useLastSegment, useParameters } from '../../routing/hash-location.ts';
import { useSession } from '../../session/session.ts';
import { ComparePanel } from './compare/compare-panel.tsx';
import { DefinitionPanel } from './detail/definition-panel.tsx';
import { ExecutionCounts } from './detail/execution-counts.tsx';
import { FindingsPanel } from './detail/findings-panel.tsx';
import { NeedsPanel } from './detail/needs-panel.tsx';
import { RevisionsPanel } from './detail/revisions-panel.tsx';
import { StructurePanel } from './detail/structure-panel.tsx';
import { workflowPath } from './paths.ts';
import { StartDialog } from './start/start-dialog.tsx';
import styles from './workflows.module.css';

/** A workflow: the version registered last, or the version or the revision that the URL names. */
export function WorkflowPage() {
  const id = useLastSegment();
  const { client, can } = useSession();
  const [parameters, setParameters] = useParameters();
  const version = parameters.get('version') ?? undefined;
  const revision = parameters.get('revision') ?? undefined;
  const workflow = useFreshQuery({
    queryKey: ['workflow', id, version ?? null, revision ?? null],
    queryFn: ({ signal }) =>
      revision === undefined ? client.workflow(id, version, { signal }) : client.revision(id, revision, { signal }),
  });
  const data = workflow.data?.workflow_id === id ? workflow.data : undefined;
  const isStarting = parameters.has('start');
  const tab = (name: string, label: string, content: (shown: WorkflowDetail) => ReactNode) => ({
    id: name,
    label,
    content: () => (data === undefined ? null : content(data)),
  });
  return (
    <Page
      title={oneLine(id, 80)}
      heading={<Name text={id} maxChars={160} />}
      actions={
        <>
          <Link className={styles.action} href={`/executions?workflow_id=${encodeURIComponent(id)}`}>
            Executions
          </Link>
          {can('write') && (
            <Button kind="primary" disabled={data === undefined} onClick={() => setParameters({ start: '1' })}>
              Start …
            </Button>
          )}
        </>
      }
    >
      {workflow.error !== null && <ErrorNotice error={workflow.error} onRetry={() => void workflow.refetch()} />}
      {workflow.isPending && <Loading what="the workflow" />}
      {data !== undefined && (
        <>
          <Facts workflow={data} />
          <Tabs
            label="Workflow"
            selected={parameters.get('tab') ?? 'structure'}
            onSelect={(next) => setParameters({ tab: next === 'structure' ? undefined : next })}
            tabs={[
              tab('structure', 'Structure', (shown) => <StructurePanel key={shown.revision} workflow={shown} />),
              tab('findings', 'Findings', (shown) => <FindingsPanel workflow={shown} />),
              tab('needs', 'What it needs', (shown) => <NeedsPanel workflow={shown} />),
              tab('definition', 'Definition', (shown) => <DefinitionPanel workflow={shown} />),
              tab('revisions', 'Revisions', (shown) => <RevisionsPanel workflow={shown} />),
              tab('compare', 'Compare', (shown) => <ComparePanel workflow={shown} />),
            ]}
          />
        </>
      )}
      {isStarting && data !== undefined && can('write') && (
        <StartDialog workflowId={id} version={data.version} onClose={() => setParameters({ start: undefined })} />
      )}
    </Page>
  );
}

function Facts({ workflow }: { readonly workflow: WorkflowDetail }) {
  const { workflow_id, version, revision, registered_at, registered_by, versions } = workflow;
  const isCurrent = versions.some((each) => each.version === version && each.revision === revision);
  return (
    <Details
      items={[
        [
          'Version',
          <select
            key="version"
            aria-label="Version"
            value={isCurrent ? version : ''}
            onChange={({ target }) => navigate(workflowPath(workflow_id, { version: target.value }))}
          >
            {!isCurrent && <option value="">{oneLine(version, 60)} (replaced)</option>}
            {versions.map((each, at) => (
              <option key={each.version} value={each.version}>
                {oneLine(each.version, 60)}
                {at === 0 ? ' (latest)' : ''}
              </option>
            ))}
          </select>,
        ],
        [
          'Revision',
          <span key="revision">
            <code title={revision}>{revision.slice(0, 12)}</code> <CopyButton text={() => revision} what="the revision" />
          </span>,
        ],
        ['Registered', <Time key="registered" at={registered_at} />],
        ['By', <Name key="by" text={registered_by} maxChars={80} />],
        ['Executions', <ExecutionCounts key="executions" workflowId={workflow_id} />],
      ]}
    />
  );
}
