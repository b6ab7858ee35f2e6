import { useState } from 'react';
import { flushSync } from 'react-dom';
import { Redirect, useParams } from 'wouter';
import type { Webhook } from '../../../../src/client/index.ts';
import { BackLink } from '../../components/back-link.tsx';
import { Details } from '../../components/details.tsx';
import { Name } from '../../components/name.tsx';
import { Page } from '../../components/page.tsx';
import { QueryStates } from '../../components/query-states.tsx';
import { Time } from '../../components/time.tsx';
import { useFreshQuery } from '../../live/use-fresh-query.ts';
import { useSession } from '../../session/session.ts';
import { useAction } from '../../shell/use-action.ts';
import { Deliveries } from './deliveries.tsx';
import { PingResult } from './ping-result.tsx';
import { WebhookActions } from './webhook-actions.tsx';
import { eventsText, WebhookStatus } from './webhooks-page.tsx';

export function WebhookPage() {
  const { id = '' } = useParams();
  const [deletedId, setDeletedId] = useState<string | null>(null);
  if (deletedId === id) return <Redirect to="/webhooks" replace />;
  // At once: what is left of the page would be read again.
  return <WebhookView key={id} id={id} onDeleted={() => flushSync(() => setDeletedId(id))} />;
}

function WebhookView({ id, onDeleted }: { readonly id: string; readonly onDeleted: () => void }) {
  const { client, can } = useSession();
  const query = useFreshQuery({ queryKey: ['webhook', id], queryFn: ({ signal }) => client.webhooks.get(id, { signal }) });
  const ping = useAction(
    () => client.webhooks.test(id),
    ({ delivered }) => (delivered ? 'The ping is delivered.' : 'The ping has failed.'),
    { errors: 'inline' },
  );
  const webhook = query.data;
  return (
    <Page
      title={`Webhook ${webhook?.url ?? id}`}
      heading={
        webhook && (
          <>
            <Name text={webhook.url} /> <WebhookStatus webhook={webhook} />
          </>
        )
      }
      actions={
        webhook &&
        can('write') && (
          <WebhookActions
            webhook={webhook}
            isPinging={ping.isPending}
            onPing={() => ping.mutate(undefined)}
            onDeleted={onDeleted}
          />
        )
      }
    >
      <BackLink href="/webhooks">All webhooks</BackLink>
      <QueryStates query={query} what="the webhook">
        {(shown) => (
          <>
            <WebhookDetails webhook={shown} />
            {!ping.isIdle && <PingResult result={ping.data} error={ping.error} />}
            <Deliveries webhook={shown} />
          </>
        )}
      </QueryStates>
    </Page>
  );
}

function WebhookDetails({ webhook }: { readonly webhook: Webhook }) {
  return (
    <Details
      items={[
        ['Events', <Name key="events" text={eventsText(webhook.events)} maxChars={2_000} />],
        ['Workflow', webhook.workflow_id === null ? 'all' : <Name key="workflow" text={webhook.workflow_id} />],
        ['Description', webhook.description && <Name key="description" text={webhook.description} maxChars={1_024} />],
        ['Disabled because', webhook.disabled_reason && <Name key="disabled" text={webhook.disabled_reason} />],
        ['Last delivered', <Time key="delivered" at={webhook.last_delivered_at} otherwise="never" />],
        ['Last failed', <Time key="failed" at={webhook.last_failed_at} otherwise="never" />],
        ['Last failure', webhook.last_failure && <Name key="failure" text={webhook.last_failure} />],
        ['Failures in a row', webhook.failures_in_a_row.toLocaleString()],
        ['Created', <Time key="created" at={webhook.created_at} />],
        ['Id', <code key="id">{webhook.id}</code>],
      ]}
    />
  );
}
