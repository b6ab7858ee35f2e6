import { Link } from 'wouter';
import type { Webhook } from '../../../../src/client/index.ts';
import { Empty } from '../../components/empty.tsx';
import { Name } from '../../components/name.tsx';
import { DialogButton } from '../../components/resource/dialog-button.tsx';
import { ResourcePage } from '../../components/resource/resource-page.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import type { Column } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { useFreshQuery } from '../../live/use-fresh-query.ts';
import { useSession } from '../../session/session.ts';
import { WebhookDialog } from './webhook-dialog.tsx';

export function WebhooksPage() {
  const { client, can } = useSession();
  const list = useFreshQuery({ queryKey: ['webhooks'], queryFn: ({ signal }) => client.webhooks.list({ signal }) });
  return (
    <ResourcePage
      title="Webhooks"
      actions={
        can('write') && (
          <DialogButton label="New webhook" kind="primary">
            {(close) => <WebhookDialog webhook={null} onClose={close} />}
          </DialogButton>
        )
      }
      query={list}
      rows={({ webhooks }) => webhooks}
      rowKey={({ id }) => id}
      columns={COLUMNS}
      empty={
        <Empty title="There are no webhooks">
          <p>A webhook sends the events of executions to a URL, signed, in order and at least once.</p>
        </Empty>
      }
    />
  );
}

const COLUMNS: readonly Column<Webhook>[] = [
  {
    header: 'URL',
    cell: ({ id, url }) => (
      <Link href={`/webhooks/${id}`}>
        <Name text={url} />
      </Link>
    ),
  },
  { header: 'Status', cell: (webhook) => <WebhookStatus webhook={webhook} /> },
  { header: 'Events', cell: ({ events }) => <Name text={eventsText(events)} /> },
  { header: 'Workflow', cell: ({ workflow_id: id }) => (id === null ? 'all' : <Name text={id} maxChars={60} />) },
  { header: 'Description', cell: ({ description }) => <Name text={description ?? '–'} /> },
  { header: 'Last delivered', cell: ({ last_delivered_at }) => <Time at={last_delivered_at} /> },
  { header: 'Failures', cell: (webhook) => <Failures webhook={webhook} /> },
];

/** One failure may be of the moment. */
const FAILING = 3;

export function WebhookStatus({ webhook: { enabled, failures_in_a_row: failures } }: { readonly webhook: Webhook }) {
  return (
    <>
      <StatusBadge status={enabled ? 'enabled' : 'disabled'} /> {failures >= FAILING && <StatusBadge status="failing" />}
    </>
  );
}

export function eventsText(events: readonly string[]): string {
  return events.length === 1 && events[0] === '*' ? 'all' : events.join(', ');
}

function Failures({ webhook }: { readonly webhook: Webhook }) {
  const { failures_in_a_row: count, last_failed_at: at, last_failure: reason, disabled_reason: disabled } = webhook;
  if (disabled !== null) return <Name text={disabled} />;
  if (count === 0 || at === null) return '–';
  return (
    <>
      {count.toLocaleString()} in a row, <Time at={at} />
      {reason !== null && (
        <p className="muted">
          <Name text={reason} />
        </p>
      )}
    </>
  );
}
