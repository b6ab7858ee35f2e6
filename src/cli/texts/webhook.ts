import type { Delivery, Webhook } from '../../client/index.ts';
import { ago } from '../../views/time.ts';
import type { Paint } from '../terminal/paint.ts';
import { fields } from '../terminal/table.ts';
import { inline, plain } from '../terminal/text.ts';

/** `enabled`, `failing` (the last attempt failed), or `disabled`. */
export function webhookState(webhook: Webhook, paint: Paint): string {
  if (!webhook.enabled) return paint.dim('disabled');
  return webhook.failures_in_a_row > 0 ? paint.red('failing') : paint.green('enabled');
}

export function kindsText({ events }: Webhook): string {
  return events.includes('*') ? 'all' : events.map((kind) => plain(kind)).join(', ');
}

/** A webhook as text, one field per line, without fields that do not apply. */
export function webhookText(webhook: Webhook, secret: string | undefined, nowMs: number, paint: Paint): string {
  const since = (time: string | null): string => (time === null ? 'never' : ago(Date.parse(time), nowMs));
  const { description, disabled_reason, last_failure, failures_in_a_row } = webhook;
  return fields(
    [
      ['webhook', webhook.id],
      ['url', plain(webhook.url)],
      ['events', kindsText(webhook)],
      ['workflow', webhook.workflow_id === null ? 'any' : plain(webhook.workflow_id)],
      ...(description === null ? [] : ([['description', plain(description)]] as const)),
      ['state', webhookState(webhook, paint)],
      ...(disabled_reason === null ? [] : ([['disabled', plain(disabled_reason)]] as const)),
      ['delivered', since(webhook.last_delivered_at)],
      ...(last_failure === null ? [] : ([['failed', `${since(webhook.last_failed_at)}: ${inline(last_failure)}`]] as const)),
      ...(failures_in_a_row === 0 ? [] : ([['in a row', String(failures_in_a_row)]] as const)),
      ...(secret === undefined ? [] : ([['secret', secret]] as const)),
    ],
    paint,
  );
}

export function paintDelivery(status: Delivery['status'], paint: Paint): string {
  if (status === 'delivered') return paint.green(status);
  return status === 'failed' ? paint.red(status) : paint.cyan(status);
}
