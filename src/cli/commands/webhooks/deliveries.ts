import { Option } from 'clipanion';
import type { CallOptions, DeliveryList, JamjetClient } from '../../../client/index.ts';
import { ago, duration } from '../../../views/time.ts';
import type { Usage } from '../../base/command.ts';
import { ListCommand } from '../../base/list-command.ts';
import { choiceArgument, integerArgument } from '../../input/arguments.ts';
import { table } from '../../terminal/table.ts';
import { inline } from '../../terminal/text.ts';
import { paintDelivery } from '../../texts/webhook.ts';

const STATUSES = ['pending', 'delivered', 'failed'] as const;
const ERROR_COLUMNS = 60;

class WebhooksDeliveriesCommand extends ListCommand<DeliveryList> {
  static override usage: Usage = {
    details: `Newest first. NEXT is the time until a pending delivery is attempted again; it is empty while an earlier delivery of the same execution
is pending.`,
    examples: [
      ['List the latest deliveries', '$0 webhooks deliveries 5c1d2e9a-…'],
      ['List failed deliveries', '$0 webhooks deliveries 5c1d2e9a-… --status failed'],
      ['Watch pending deliveries', '$0 webhooks deliveries 5c1d2e9a-… --status pending --watch'],
    ],
  };

  id = Option.String({ name: 'id' });
  status = Option.String('-s,--status', { description: `Only this status: ${STATUSES.join(', ')}.` });
  limit = Option.String('--limit', '50', { description: 'Maximum number of deliveries, 1 to 200 (default 50).' });
  cursor = Option.String('--cursor', { description: 'Start after an earlier page: its next_cursor.' });

  protected readonly emptyText = 'no deliveries';

  protected read(client: JamjetClient, call: CallOptions): Promise<DeliveryList> {
    const query = {
      limit: integerArgument('--limit', this.limit, { min: 1, max: 200 }),
      ...(this.status === undefined ? {} : { status: choiceArgument('--status', this.status, STATUSES) }),
      ...(this.cursor === undefined ? {} : { cursor: this.cursor }),
    };
    return client.webhooks.deliveries(this.id, query, call);
  }

  protected listText({ deliveries }: DeliveryList): string | null {
    if (deliveries.length === 0) return null;
    const nowMs = Date.now();
    const rows = deliveries.map((delivery) => [
      delivery.id,
      delivery.execution_id,
      String(delivery.sequence),
      delivery.kind,
      paintDelivery(delivery.status, this.paint),
      String(delivery.attempts),
      delivery.next_attempt_at === null ? '' : duration(Math.max(0, Date.parse(delivery.next_attempt_at) - nowMs)),
      ago(Date.parse(delivery.created_at), nowMs),
      delivery.last_error === null ? '' : this.paint.dim(inline(delivery.last_error, ERROR_COLUMNS)),
    ]);
    const columns = [
      { title: 'DELIVERY' },
      { title: 'EXECUTION' },
      { title: 'SEQ', align: 'right' },
      { title: 'KIND' },
      { title: 'STATUS' },
      { title: 'ATTEMPTS', align: 'right' },
      { title: 'NEXT', align: 'right' },
      { title: 'CREATED', align: 'right' },
      { title: 'LAST ERROR' },
    ] as const;
    return table(columns, rows, this.paint);
  }

  protected override moreHint({ next_cursor }: DeliveryList): string | null {
    return next_cursor === null ? null : `more deliveries: add --cursor ${next_cursor}`;
  }
}

export { WebhooksDeliveriesCommand as command };
