import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import { oneLine } from '../../../../machines/views/text.ts';
import { Page } from '../../components/page.tsx';
import { Tabs } from '../../components/tabs.tsx';
import { useParameters } from '../../routing/hash-location.ts';
import { useSession } from '../../session/session.ts';
import styles from './approvals.module.css';
import { DecidedList } from './decided-list.tsx';
import { PendingInbox } from './pending-inbox.tsx';

const MAX_WORKFLOWS = 1_000;

export function ApprovalsPage() {
  const [parameters, setParameters] = useParameters();
  const workflow = parameters.get('workflow') ?? undefined;
  return (
    <Page
      title="Approvals"
      actions={<WorkflowFilter workflow={workflow} onChange={(next) => setParameters({ workflow: next, selected: undefined })} />}
    >
      <Tabs
        label="Approvals"
        selected={parameters.get('view') ?? 'pending'}
        onSelect={(view) => setParameters({ view: view === 'pending' ? undefined : view, selected: undefined })}
        tabs={[
          { id: 'pending', label: 'Pending', content: () => <PendingInbox key={workflow ?? ''} workflow={workflow} /> },
          { id: 'decided', label: 'Decided', content: () => <DecidedList key={workflow ?? ''} workflow={workflow} /> },
        ]}
      />
    </Page>
  );
}

interface FilterProps {
  readonly workflow: string | undefined;
  readonly onChange: (workflow: string | undefined) => void;
}

function WorkflowFilter({ workflow, onChange }: FilterProps) {
  const { client } = useSession();
  const id = useId();
  const list = useQuery({
    queryKey: ['workflows', 'ids'],
    queryFn: ({ signal }) => client.workflows({ limit: MAX_WORKFLOWS }, { signal }),
    refetchOnMount: 'always',
  });
  const ids = new Set([
    ...(workflow === undefined ? [] : [workflow]),
    ...(list.data?.workflows ?? []).map((each) => each.workflow_id),
  ]);
  return (
    <div className={styles.filter}>
      <label htmlFor={id}>Workflow</label>
      <select id={id} value={workflow ?? ''} onChange={({ target }) => onChange(target.value === '' ? undefined : target.value)}>
        <option value="">All</option>
        {[...ids].map((each) => (
          <option key={each} value={each}>
            {oneLine(each, 60)}
          </option>
        ))}
      </select>
    </div>
  );
}
