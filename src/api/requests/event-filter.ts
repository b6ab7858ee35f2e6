import type { FastifyRequest } from 'fastify';
import { EVENT_TYPES, type EventType, pascalCase } from '../../../machines/events/index.ts';
import { RuntimeError, truncated } from '../../runtime/errors.ts';
import { javaForm, namedKindForm, taggedKindForm } from '../../runtime/queries/event-forms.ts';
import type { EventView } from '../../runtime/types/executions.ts';
import { isJavaSdkRequest, isSdkRequest } from '../compat/sdk-paths.ts';
import { TAGGED_JSON } from '../schemas/events.ts';

/** Event types from kinds in PascalCase or snake_case. Throws `bad_request` for unknown ones. */
export function eventTypes(kinds: readonly string[]): ReadonlySet<EventType> {
  return new Set(kinds.map(eventType));
}

/** Event types from the parameters `kind` and `type`, which are equivalent, may be repeated, and may be lists with commas. Null = all. */
export function requestedTypes(query: {
  readonly kind?: string | readonly string[] | undefined;
  readonly type?: string | readonly string[] | undefined;
}): ReadonlySet<EventType> | null {
  const given = [query.kind ?? [], query.type ?? []].flat();
  const kinds = given.flatMap((text) => text.split(',')).map((kind) => kind.trim());
  return given.length === 0 ? null : eventTypes(kinds);
}

function eventType(given: string): EventType {
  const type = EVENT_TYPES.find((known) => known === given || pascalCase(known) === given);
  if (type === undefined) throw new RuntimeError('bad_request', `unknown event type: ${truncated(given)}`);
  return type;
}

export interface EventFormat {
  readonly serialize: (event: EventView) => object;
  /** Name of the event's kind, as this format spells it. */
  readonly kindName: (event: { readonly type: string }) => string;
  readonly tagged: boolean;
}

const SEED: EventFormat = { serialize: namedKindForm, kindName: (event) => pascalCase(event.type), tagged: false };
const TAGGED: EventFormat = { serialize: taggedKindForm, kindName: (event) => event.type, tagged: true };
const JAVA: EventFormat = { ...TAGGED, serialize: javaForm };

/** The format of events by the query, else the headers, else the path, else the configuration of the server. */
export function requestedFormat(
  request: FastifyRequest,
  format: 'seed' | 'tagged' | undefined,
  defaultFormat: 'seed' | 'tagged',
): EventFormat {
  const requested =
    format ?? headerFormat(request) ?? acceptedFormat(request) ?? (isSdkRequest(request) ? 'tagged' : defaultFormat);
  if (requested === 'seed') return SEED;
  return isJavaSdkRequest(request) ? JAVA : TAGGED;
}

/** Whether the client accepts the media type of the tagged form. Other clients get `application/json` in either form. */
export function acceptsTagged({ headers: { accept = '' } }: FastifyRequest): boolean {
  return accept.toLowerCase().includes(TAGGED_JSON);
}

function acceptedFormat(request: FastifyRequest): 'tagged' | null {
  return acceptsTagged(request) ? 'tagged' : null;
}

function headerFormat({ headers }: FastifyRequest): 'seed' | 'tagged' | null {
  const format = headers['x-jamjet-events'];
  return format === 'tagged' || format === 'seed' ? format : null;
}
