import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { Delivery, Webhook } from '../../../../src/client/index.ts';
import { Button } from '../../components/button.tsx';
import { ExecutionLink } from '../../components/execution-link.tsx';
import { FieldRow } from '../../components/field.tsx';
import { Name } from '../../components/name.tsx';
import { Panel } from '../../components/panel.tsx';
import { QueryStates } from '../../components/query-states.tsx';
import { ActionButton } from '../../components/resource/action-button.tsx';
import { ChoiceFilter } from '../../components/resource/filters.tsx';
import { OlderRows } from '../../components/resource/older-rows.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import { type Column, Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { usePages } from '../../live/use-pages.ts';
import { useRefetchAt } from '../../live/use-refetch-at.ts';
import { useRefetchOnEvent } from '../../live/use-refetch-on-event.ts';
import { useParameters } from '../../routing/hash-location.ts';
import { useSession } from '../../session/session.ts';
import { DeliveryDialog } from './delivery-dialog.tsx';

const STATUSES = ['pending', 'delivered', 'failed'] as const;

export function Deliveries({ webhook }: { readonly webhook: Webhook }) {
  const { client, can } = useSession();
  const [parameters] = useParameters();
  const [shown, setShown] = useState<Delivery | null>(null);
  const status = STATUSES.find((each) => each === parameters.get('status'));
  const query = usePages({
    queryKey: ['deliveries', webhook.id, status],
    readPage: (from, signal) => client.webhooks.deliveries(webhook.id, { ...(status && { status }), ...from }, { signal }),
    itemsOf: ({ deliveries }) => deliveries,
    refetchOnWindowFocus: 'always',
  });
  useRefetchOnEvent(query, (event) => webhook.workflow_id === null || event.workflow_id === webhook.workflow_id);
  useRefetchAt(
    query,
    query.data?.items.map(({ next_attempt_at }) => next_attempt_at),
  );
  useRefetchWebhook(webhook.id, query.data?.items);
  return (
    <Panel title="Deliveries" actions={can('write') && <ReplayFailed id={webhook.id} />}>
      <FieldRow label="Filter">
        <ChoiceFilter name="status" label="Status" choices={STATUSES} />
      </FieldRow>
      <QueryStates query={query} what="deliveries">
        {({ items }) =>
          items.length === 0 ? (
            <p className="muted">
              {status === undefined
                ? 'Nothing has been delivered yet. Events are sent from the creation of the webhook on.'
                : `No delivery is ${status}.`}
            </p>
          ) : (
            <Table label="Deliveries" rows={items} rowKey={({ id }) => id} columns={columnsFor(can('write'), setShown)} />
          )
        }
      </QueryStates>
      <OlderRows query={query} />
      {shown !== null && <DeliveryDialog webhook={webhook} delivery={shown} onClose={() => setShown(null)} />}
    </Panel>
  );
}

/** An attempt changes what is known of the webhook, and may disable it. */
function useRefetchWebhook(id: string, deliveries: readonly Delivery[] | undefined): void {
  const queries = useQueryClient();
  const before = useRef<readonly Delivery[] | undefined>(undefined);
  useEffect(() => {
    if (before.current !== undefined && before.current !== deliveries)
      void queries.invalidateQueries({ queryKey: ['webhook', id] });
    before.current = deliveries;
  }, [queries, id, deliveries]);
}

function columnsFor(canWrite: boolean, onShow: (delivery: Delivery) => void): readonly Column<Delivery>[] {
  return [
    { header: 'Event', cell: ({ kind, sequence }) => `${kind} (${sequence})` },
    { header: 'Execution', cell: ({ execution_id: id }) => <ExecutionLink id={id} /> },
    { header: 'Status', cell: ({ status }) => <StatusBadge status={status} /> },
    { header: 'Attempts', align: 'end', cell: ({ attempts }) => attempts.toLocaleString() },
    { header: 'Last result', cell: (delivery) => <LastResult delivery={delivery} /> },
    { header: 'Last attempt', cell: ({ last_attempt_at }) => <Time at={last_attempt_at} /> },
    { header: 'Next attempt', cell: ({ next_attempt_at }) => <Time at={next_attempt_at} /> },
    {
      header: 'Actions',
      isActions: true,
      cell: (delivery) => (
        <>
          <Button aria-label={`Show delivery ${delivery.id}`} onClick={() => onShow(delivery)}>
            Show
          </Button>
          {canWrite && <Replay delivery={delivery} />}
        </>
      ),
    },
  ];
}

function LastResult({ delivery: { last_status: status, last_error: error } }: { readonly delivery: Delivery }) {
  if (error !== null) return <Name text={error} />;
  return status === null ? '–' : `HTTP ${status}`;
}

function Replay({ delivery: { id, webhook_id: webhookId } }: { readonly delivery: Delivery }) {
  const { client } = useSession();
  return (
    <ActionButton
      label="Send again"
      accessibleLabel={`Send delivery ${id} again`}
      run={() => client.webhooks.replayDelivery(webhookId, id)}
      done={({ kind }) => `${kind} is sent again.`}
    />
  );
}

function ReplayFailed({ id }: { readonly id: string }) {
  const { client } = useSession();
  return (
    <ActionButton
      label="Send all failed again"
      answer="Send again"
      isFinal={false}
      run={() => client.webhooks.replay(id)}
      done={({ replayed }) =>
        replayed === 0 ? 'No delivery has failed.' : `${replayed.toLocaleString()} failed deliveries are sent again.`
      }
      question="Send all failed deliveries again?"
    >
      <p>Every failed delivery of the last 30 days is attempted anew. Receivers recognise repeated ones by their webhook-id.</p>
    </ActionButton>
  );
}
