import type { CallOptions, JamjetClient, WebhookList } from '../../../client/index.ts';
import { ago } from '../../../views/time.ts';
import type { Usage } from '../../base/command.ts';
import { ListCommand } from '../../base/list-command.ts';
import { table } from '../../terminal/table.ts';
import { cut, plain } from '../../terminal/text.ts';
import { kindsText, webhookState } from '../../texts/webhook.ts';

const URL_COLUMNS = 48;
const KINDS_COLUMNS = 40;

class WebhooksListCommand extends ListCommand<WebhookList> {
  static override usage: Usage = {
    examples: [
      ['List all webhooks', '$0 webhooks list'],
      ['Watch webhooks', '$0 webhooks list --watch'],
      ['List failing webhooks', `$0 webhooks list --json | jq '.webhooks[] | select(.failures_in_a_row > 0)'`],
    ],
  };

  protected readonly emptyText = 'no webhooks';

  protected read(client: JamjetClient, call: CallOptions): Promise<WebhookList> {
    return client.webhooks.list(call);
  }

  protected listText({ webhooks }: WebhookList): string | null {
    if (webhooks.length === 0) return null;
    const nowMs = Date.now();
    const rows = webhooks.map((webhook) => [
      webhook.id,
      cut(plain(webhook.url), URL_COLUMNS),
      webhookState(webhook, this.paint),
      webhook.last_delivered_at === null ? 'never' : ago(Date.parse(webhook.last_delivered_at), nowMs),
      webhook.workflow_id === null ? 'any' : plain(webhook.workflow_id),
      cut(kindsText(webhook), KINDS_COLUMNS),
    ]);
    const columns = [
      { title: 'WEBHOOK' },
      { title: 'URL' },
      { title: 'STATE' },
      { title: 'DELIVERED', align: 'right' },
      { title: 'WORKFLOW' },
      { title: 'EVENTS' },
    ] as const;
    return table(columns, rows, this.paint);
  }
}

export { WebhooksListCommand as command };
