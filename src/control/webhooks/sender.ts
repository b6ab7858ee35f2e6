import { pascalCase } from '../../../machines/events.ts';
import type { DeliveryRow, WebhookRow } from '../../../store/resources/webhooks.ts';
import { WorkError } from '../../executors/executor.ts';
import { seedForm } from '../../runtime/event-forms.ts';
import { eventOf } from '../live/live-events.ts';
import type { Parts } from '../parts.ts';
import { signedHeaders } from './signature.ts';

const TIMEOUT_MS = 10_000;
const EXCERPT_CHARS = 200;
/** Trying again would not help. */
const HOPELESS: ReadonlySet<string | null> = new Set(['blocked_address', 'validation']);

/** What came of one attempt. */
export interface Answer {
  /** It was answered with 2xx. */
  readonly delivered: boolean;
  /** HTTP status; null when there was no answer. */
  readonly status: number | null;
  /** Null when it was delivered. */
  readonly error: string | null;
  /** Another attempt could not go better. */
  readonly hopeless: boolean;
  readonly durationMs: number;
}

/** Sends signed messages to webhooks. */
export class Sender {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The event is read from the log only now. */
  async deliver(webhook: WebhookRow, delivery: DeliveryRow, signal: AbortSignal): Promise<Answer> {
    const { runtime, store } = this.#parts;
    const { tenantId, executionId } = delivery;
    const execution = await store.tenant(tenantId).execution(executionId);
    const event = execution === null ? null : await eventOf(runtime, delivery);
    if (execution === null || event === null) return failed('the execution has been removed meanwhile');
    const written = seedForm(event);
    return this.#send(webhook, delivery.id, signal, {
      type: pascalCase(event.type),
      timestamp: written.created_at,
      tenant_id: tenantId,
      execution_id: executionId,
      workflow_id: execution.workflowId,
      event: written,
    });
  }

  /** A message that tells of nothing, for a try. */
  ping(webhook: WebhookRow, id: string, signal: AbortSignal): Promise<Answer> {
    return this.#send(webhook, id, signal, {
      type: 'Ping',
      timestamp: new Date(this.#parts.clock.nowMs()).toISOString(),
      tenant_id: webhook.tenantId,
      execution_id: null,
      workflow_id: null,
      event: null,
    });
  }

  async #send(webhook: WebhookRow, id: string, signal: AbortSignal, message: object): Promise<Answer> {
    const { clock, outbound } = this.#parts;
    const atMs = clock.nowMs();
    const end = new AbortController();
    const stop = (): void => end.abort(signal.reason);
    const callOff = clock.after(TIMEOUT_MS, () => end.abort(new DOMException('no answer in time', 'TimeoutError')));
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const body = JSON.stringify(message);
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'jamjet-webhooks',
      ...signedHeaders({ id, atMs, body }, secretsOf(webhook, atMs)),
    };
    try {
      const { status, text } = await outbound.tell({ url: webhook.url, method: 'POST', headers, body, signal: end.signal });
      const delivered = status >= 200 && status <= 299;
      const durationMs = clock.nowMs() - atMs;
      return { delivered, status, error: delivered ? null : answered(status, text), hopeless: status === 410, durationMs };
    } catch (error) {
      const hopeless = error instanceof WorkError && HOPELESS.has(error.errorClass);
      return { ...failed(error instanceof Error ? error.message : String(error)), hopeless, durationMs: clock.nowMs() - atMs };
    } finally {
      callOff();
      signal.removeEventListener('abort', stop);
    }
  }
}

function failed(error: string): Answer {
  return { delivered: false, status: null, error, hopeless: true, durationMs: 0 };
}

function answered(status: number, text: string): string {
  const excerpt = text.replace(/\s+/g, ' ').trim().slice(0, EXCERPT_CHARS);
  return `answered ${status}${excerpt === '' ? '' : `: ${excerpt}`}`;
}

/** After a change of the secret, the old one signs as well for a while. */
function secretsOf({ secret, previousSecret, previousUntilMs }: WebhookRow, nowMs: number): readonly string[] {
  const both = previousSecret !== null && previousUntilMs !== null && nowMs < previousUntilMs;
  return both ? [secret, previousSecret] : [secret];
}
