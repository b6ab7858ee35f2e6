import type { Json } from '../../../../machines/json.ts';
import type { Delivery, JamjetClient, Webhook } from '../../../../src/client/index.ts';
import { Details } from '../../components/details.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { JsonView } from '../../components/json-view.tsx';
import { Name } from '../../components/name.tsx';
import { QueryStates } from '../../components/query-states.tsx';
import { StatusBadge } from '../../components/status-badge.tsx';
import { Time } from '../../components/time.tsx';
import { useFreshQuery } from '../../live/use-fresh-query.ts';
import { useSession } from '../../session/session.ts';

interface Props {
  readonly webhook: Webhook;
  readonly delivery: Delivery;
  readonly onClose: () => void;
}

/** The request of a delivery and how the receiver answered last. */
export function DeliveryDialog({ webhook, delivery, onClose }: Props) {
  const { client, caller } = useSession();
  const message = useFreshQuery({
    queryKey: ['delivery message', delivery.id],
    queryFn: ({ signal }) => messageOf(client, caller.tenant_id, delivery, signal),
  });
  const time = (at: string | null) => at && <Time at={at} />;
  return (
    <Dialog title={`Delivery of ${delivery.kind}`} onClose={onClose}>
      <Details
        items={[
          ['Status', <StatusBadge key="status" status={delivery.status} />],
          ['Attempts', delivery.attempts.toLocaleString()],
          ['Response', delivery.last_status === null ? 'none' : `HTTP ${delivery.last_status}`],
          ['Last error', delivery.last_error && <Name key="error" text={delivery.last_error} maxChars={1_000} />],
          ['Created', time(delivery.created_at)],
          ['Last attempt', time(delivery.last_attempt_at)],
          ['Next attempt', time(delivery.next_attempt_at)],
          ['Settled', time(delivery.settled_at)],
        ]}
      />
      <h3>Request</h3>
      <p>
        <code>
          POST <Name text={webhook.url} />
        </code>
      </p>
      <p>
        <code>webhook-id: {delivery.id}</code>
      </p>
      <QueryStates query={message} what="the message">
        {(body) =>
          body === null ? (
            <p className="muted">The execution has been removed, and the message with it.</p>
          ) : (
            <JsonView value={body} label="Message" />
          )
        }
      </QueryStates>
    </Dialog>
  );
}

/** The body as docs/webhooks.md states it: it is made of the log for each attempt. Null if the event is not there any more. */
async function messageOf(
  client: JamjetClient,
  tenantId: string,
  { execution_id: id, sequence }: Delivery,
  signal: AbortSignal,
): Promise<Json> {
  const [event] = await client.events(id, { after: sequence - 1, limit: 1, signal });
  if (event === undefined) return null;
  const { workflow_id } = await client.execution(id, { signal });
  const { kind, created_at } = event;
  return {
    type: kind,
    timestamp: created_at,
    tenant_id: tenantId,
    execution_id: id,
    workflow_id,
    event: event as unknown as Json,
  };
}
