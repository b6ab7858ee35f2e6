import { pascalCase } from '../../../machines/events/index.ts';
import { shortened } from '../../../machines/shortened.ts';
import type { DeliveryRow, WebhookRow } from '../../../store/port/resources/webhooks.ts';
import { WorkError } from '../../executors/executor.ts';
import { namedKindForm } from '../../runtime/queries/event-forms.ts';
import { readEvent } from '../live/live-events.ts';
import type { ControlDeps } from '../service.ts';
import { signedHeaders } from './signature.ts';

const TIMEOUT_MS = 10_000;
const EXCERPT_CHARS = 200;
/** Errors that another attempt would meet again. */
const PERMANENT_ERROR_CLASSES: ReadonlySet<string | null> = new Set(['blocked_address', 'validation']);

/** The result of one attempt. */
export interface AttemptResult {
  /** The endpoint answered 2xx. */
  readonly delivered: boolean;
  /** HTTP status; null if there was no response. */
  readonly status: number | null;
  /** Null if delivered. */
  readonly error: string | null;
  /** No further attempt is made. */
  readonly permanent: boolean;
  readonly durationMs: number;
}

/** Sends signed messages to webhooks. */
export class Sender {
  readonly #deps: ControlDeps;

  constructor(deps: ControlDeps) {
    this.#deps = deps;
  }

  /** Sends the event of a delivery. The event is read from the log when it is sent. */
  async deliver(webhook: WebhookRow, delivery: DeliveryRow, signal: AbortSignal): Promise<AttemptResult> {
    const { runtime, store } = this.#deps;
    const { tenantId, executionId } = delivery;
    const execution = await store.tenant(tenantId).execution(executionId);
    const event = execution === null ? null : await readEvent(runtime, delivery);
    if (execution === null || event === null) return failed('the execution has been removed');
    const written = namedKindForm(event);
    return this.#send(webhook, delivery.id, signal, {
      type: pascalCase(event.type),
      timestamp: written.created_at,
      tenant_id: tenantId,
      execution_id: executionId,
      workflow_id: execution.workflowId,
      event: written,
    });
  }

  /** Sends a test message without an event. */
  ping(webhook: WebhookRow, id: string, signal: AbortSignal): Promise<AttemptResult> {
    return this.#send(webhook, id, signal, {
      type: 'Ping',
      timestamp: new Date(this.#deps.clock.nowMs()).toISOString(),
      tenant_id: webhook.tenantId,
      execution_id: null,
      workflow_id: null,
      event: null,
    });
  }

  async #send(webhook: WebhookRow, id: string, signal: AbortSignal, message: object): Promise<AttemptResult> {
    const { clock, outbound } = this.#deps;
    const atMs = clock.nowMs();
    const end = new AbortController();
    const abort = (): void => end.abort(signal.reason);
    const cancelTimer = clock.after(TIMEOUT_MS, () => end.abort(new DOMException('no response in time', 'TimeoutError')));
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    const body = JSON.stringify(message);
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'jamjet-webhooks',
      ...signedHeaders({ id, atMs, body }, secretsOf(webhook, atMs)),
    };
    try {
      const { status, text } = await outbound.notify({ url: webhook.url, method: 'POST', headers, body, signal: end.signal });
      const delivered = status >= 200 && status <= 299;
      const durationMs = clock.nowMs() - atMs;
      return { delivered, status, error: delivered ? null : statusError(status, text), permanent: status === 410, durationMs };
    } catch (error) {
      const hopeless = error instanceof WorkError && PERMANENT_ERROR_CLASSES.has(error.errorClass);
      return {
        ...failed(error instanceof Error ? error.message : String(error)),
        permanent: hopeless,
        durationMs: clock.nowMs() - atMs,
      };
    } finally {
      cancelTimer();
      signal.removeEventListener('abort', abort);
    }
  }
}

function failed(error: string): AttemptResult {
  return { delivered: false, status: null, error, permanent: true, durationMs: 0 };
}

function statusError(status: number, text: string): string {
  const excerpt = shortened(text.replace(/\s+/g, ' ').trim(), EXCERPT_CHARS);
  return `answered ${status}${excerpt === '' ? '' : `: ${excerpt}`}`;
}

/** The secrets to sign with: after a rotation, the previous one too for a while. */
function secretsOf({ secret, previousSecret, previousUntilMs }: WebhookRow, nowMs: number): readonly string[] {
  const isRotating = previousSecret !== null && previousUntilMs !== null && nowMs < previousUntilMs;
  return isRotating ? [secret, previousSecret] : [secret];
}
