import type { FastifyRequest } from 'fastify';
import { EVENT_TYPES, type EventType, pascalCase } from '../../machines/events.ts';
import { RuntimeError, shown } from '../runtime/errors.ts';
import { javaForm, seedForm, taggedForm } from '../runtime/event-forms.ts';
import type { EventView } from '../runtime/types.ts';
import { isJava, isSdk } from './dialects.ts';
import { TAGGED_JSON } from './schemas/events.ts';

/** Kinds of events, in either spelling; throws `bad_request` for one that is never written. */
export function eventTypes(kinds: readonly string[]): ReadonlySet<EventType> {
  return new Set(kinds.map(eventType));
}

/** What a query asks for: `kind`, or `type`, which is the same; several of it, or a list with commas. Null = all. */
export function typesAsked(query: {
  readonly kind?: string | readonly string[] | undefined;
  readonly type?: string | readonly string[] | undefined;
}): ReadonlySet<EventType> | null {
  const given = [query.kind ?? [], query.type ?? []].flat();
  const kinds = given.flatMap((text) => text.split(',')).map((kind) => kind.trim());
  return given.length === 0 ? null : eventTypes(kinds);
}

function eventType(given: string): EventType {
  const type = EVENT_TYPES.find((known) => known === given || pascalCase(known) === given);
  if (type === undefined) throw new RuntimeError('bad_request', `unknown event type: ${shown(given)}`);
  return type;
}

export interface EventForm {
  readonly write: (event: EventView) => object;
  /** Its kind's name, as this form spells it. */
  readonly nameOf: (event: EventView) => string;
  readonly tagged: boolean;
}

const SEED: EventForm = { write: seedForm, nameOf: (event) => pascalCase(event.type), tagged: false };
const TAGGED: EventForm = { write: taggedForm, nameOf: (event) => event.type, tagged: true };
const JAVA: EventForm = { ...TAGGED, write: javaForm };

/** How the client wants events to be written: as its query says, its header, its path, or the server's configuration. */
export function formAsked(request: FastifyRequest, format: 'seed' | 'tagged' | undefined, usual: 'seed' | 'tagged'): EventForm {
  const asked = format ?? headerFormat(request) ?? acceptedFormat(request) ?? (isSdk(request) ? 'tagged' : usual);
  if (asked === 'seed') return SEED;
  return isJava(request) ? JAVA : TAGGED;
}

/** Does the client ask for the media type of the tagged form? Others are told JSON whatever the form, as they always were. */
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
