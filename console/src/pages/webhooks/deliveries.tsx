import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import type { Delivery, Webhook } from '../../../../src/client/index.ts';
import { Button } from '../../components/button.tsx';
import { ConfirmButton } from '../../components/confirm.tsx';
import { ExecutionLink } from '../../components/execution-link.tsx';
import { Field, FieldRow } from '../../components/field.tsx';
import { Name } from '../../components/name.tsx';
import { Panel } from '../../components/panel.tsx';
import { QueryStates } from '../../components/query-states.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import { type Column, Table } from '../../components/table.tsx';
import { Time } from '../../components/time.tsx';
import { useRefetchAt } from '../../live/use-refetch-at.ts';
import { useRefetchOnEvent } from '../../live/use-refetch-on-event.ts';
import { useParameters } from '../../routing/hash-location.ts';
import { useSession } from '../../session/session.ts';
import { useAction } from '../../shell/use-action.ts';
import { DeliveryDialog } from './delivery-dialog.tsx';

const STATUSES = ['pending', 'delivered', 'failed'] as const;

export function Deliveries({ webhook }: { readonly webhook: Webhook }) {
  const { client, can } = useSession();
  const [parameters, change] = useParameters();
  const [shown, setShown] = useState<Delivery | null>(null);
  const status = STATUSES.find((each) => each === parameters.get('status'));
  const query = useInfiniteQuery({
    queryKey: ['deliveries', webhook.id, status],
    queryFn: ({ signal, pageParam }) =>
      client.webhooks.deliveries(webhook.id, { ...defined({ status, cursor: pageParam }) }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next_cursor }) => next_cursor ?? undefined,
    refetchOnMount: 'always',
    refetchOnWindowFocus: 'always',
    select: ({ pages }) => pages.flatMap(({ deliveries }) => deliveries),
  });
  useRefetchOnEvent(query, (event) => webhook.workflow_id === null || event.workflow_id === webhook.workflow_id);
  useRefetchAt(
    query,
    query.data?.map(({ next_attempt_at }) => next_attempt_at),
  );
  useRefetchWebhook(webhook.id, query.data);
  return (
    <Panel title="Deliveries" actions={can('write') && <ReplayFailed id={webhook.id} />}>
      <FieldRow label="Filter">
        <Field label="Status">
          {(control) => (
            <select {...control} value={status ?? ''} onChange={(event) => change({ status: event.target.value })}>
              <option value="">All</option>
              {STATUSES.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          )}
        </Field>
      </FieldRow>
      <QueryStates query={query} what="deliveries">
        {(deliveries) =>
          deliveries.length === 0 ? (
            <p className="muted">
              {status === undefined
                ? 'Nothing has been delivered yet. Events are sent from the creation of the webhook on.'
                : `No delivery is ${status}.`}
            </p>
          ) : (
            <Table label="Deliveries" rows={deliveries} rowKey={({ id }) => id} columns={columnsFor(can('write'), setShown)} />
          )
        }
      </QueryStates>
      {query.hasNextPage && (
        <Button disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          Show older ones
        </Button>
      )}
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

function defined<Value>(values: Readonly<Record<string, Value | undefined>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, Value] => entry[1] !== undefined));
}

function columnsFor(canWrite: boolean, onShow: (delivery: Delivery) => void): readonly Column<Delivery>[] {
  return [
    { id: 'event', header: 'Event', cell: ({ kind, sequence }) => `${kind} (${sequence})` },
    {
      id: 'execution',
      header: 'Execution',
      cell: ({ execution_id: id }) => <ExecutionLink id={id} />,
    },
    { id: 'status', header: 'Status', cell: ({ status }) => <StatusBadge status={status} /> },
    { id: 'attempts', header: 'Attempts', align: 'end', cell: ({ attempts }) => attempts.toLocaleString() },
    { id: 'result', header: 'Last result', cell: (delivery) => <LastResult delivery={delivery} /> },
    { id: 'last', header: 'Last attempt', cell: ({ last_attempt_at }) => <Time at={last_attempt_at} /> },
    { id: 'next', header: 'Next attempt', cell: ({ next_attempt_at }) => <Time at={next_attempt_at} /> },
    {
      id: 'actions',
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
  const replay = useAction(
    () => client.webhooks.replayDelivery(webhookId, id),
    ({ kind }) => `${kind} is sent again.`,
  );
  return (
    <Button aria-label={`Send delivery ${id} again`} disabled={replay.isPending} onClick={() => replay.mutate(undefined)}>
      Send again
    </Button>
  );
}

function ReplayFailed({ id }: { readonly id: string }) {
  const { client } = useSession();
  const replay = useAction(
    () => client.webhooks.replay(id),
    ({ replayed }) =>
      replayed === 0 ? 'No delivery has failed.' : `${replayed.toLocaleString()} failed deliveries are sent again.`,
  );
  return (
    <ConfirmButton
      action="Send again"
      label="Send all failed again"
      kind="primary"
      title="Send all failed deliveries again?"
      disabled={replay.isPending}
      onConfirm={() => replay.mutate(undefined)}
    >
      <p>Every failed delivery of the last 30 days is attempted anew. Receivers recognise repeated ones by their webhook-id.</p>
    </ConfirmButton>
  );
}
