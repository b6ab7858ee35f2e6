import type { FastifyReply, FastifyRequest, FastifySchema, preValidationHookHandler } from 'fastify';
import { isObject } from '../../../machines/json.ts';
import { didYouMean } from '../../../machines/suggest.ts';
import { truncated } from '../../runtime/errors.ts';
import { RequestError } from '../errors.ts';
import type { Warning } from '../schemas/warnings.ts';
import type { Api } from '../services.ts';
import { type KnownFields, knownFields, type UnknownField, unknownFields } from './known-fields.ts';
import { PREFERENCE_APPLIED, prefersStrict, STRICT } from './preference.ts';

/** Warnings of one request. */
const MAX_WARNINGS = 20;
/** Known fields that a message lists when none is similar. */
const MAX_LISTED = 12;
/** Header with the warnings, for replies that are no JSON object. */
const WARNINGS_HEADER = 'x-jamjet-warnings';

const NO_FIELDS: KnownFields = { fields: new Map(), open: false, items: null };

declare module 'fastify' {
  interface FastifyContextConfig {
    /** False for routes of other protocols, whose messages may have fields that this server does not know. Default true. */
    checksFields?: boolean;
  }
  interface FastifyRequest {
    /** What the reply warns of; null = nothing. */
    warnings: readonly Warning[] | null;
  }
}

/**
 * Reports fields and query parameters that a route's schemas do not know: as `warnings` of the reply, or as an error 400 with
 * `Prefer: handling=strict`.
 */
export function reportUnknownFields(app: Api): void {
  app.decorateRequest('warnings', null);
  app.addHook('onRoute', (route) => {
    if (route.config?.checksFields === false) return;
    route.preValidation = [...[route.preValidation ?? []].flat(), checkOf(route.schema ?? {})];
  });
  app.addHook('preSerialization', (request, _reply, payload, done) => {
    done(null, request.warnings === null ? payload : withWarnings(payload, request.warnings));
  });
}

/** Adds a warning to the reply of the request. */
export function warn(request: FastifyRequest, reply: FastifyReply, warning: Warning): void {
  setWarnings(request, reply, [...(request.warnings ?? []), warning]);
}

/** Warns of state keys in the field at `path` that only the runtime writes. */
export function warnOfIgnored(request: FastifyRequest, reply: FastifyReply, path: string, ignored: readonly string[] = []): void {
  for (const key of ignored.slice(0, MAX_WARNINGS)) {
    const message = `only the runtime writes ${JSON.stringify(truncated(key))}; it is left out`;
    warn(request, reply, { code: 'internal_state', message, path: `${path}.${truncated(key)}` });
  }
}

/** Warns of fields beside the known ones, for bodies that no schema describes. Throws with `Prefer: handling=strict`. */
export function reportFieldsBeside(request: FastifyRequest, reply: FastifyReply, known: readonly string[]): void {
  const fields: KnownFields = { fields: new Map(known.map((name) => [name, null])), open: false, items: null };
  const unknown = unknownFields(request.body, fields, MAX_WARNINGS);
  if (unknown.length > 0) report(request, reply, unknown.map(unknownField));
}

interface KnownParts {
  readonly body: KnownFields | null;
  readonly query: KnownFields;
}

function knownParts({ body, querystring }: FastifySchema): KnownParts {
  return { body: body === undefined ? NO_FIELDS : knownFields(body), query: knownFields(querystring) ?? NO_FIELDS };
}

/** Looks into the schema at the first request. */
function checkOf(schema: FastifySchema): preValidationHookHandler {
  let known: KnownParts | null = null;
  return (request, reply, done) => {
    known ??= knownParts(schema);
    const inBody = known.body === null || !isJson(request.body) ? [] : unknownFields(request.body, known.body, MAX_WARNINGS);
    const inQuery = unknownFields(request.query, known.query, MAX_WARNINGS);
    if (request.headers.prefer !== undefined && prefersStrict(request.headers)) void reply.header(PREFERENCE_APPLIED, STRICT);
    if (inBody.length > 0 || inQuery.length > 0)
      report(request, reply, [...inBody.map(unknownField), ...inQuery.map(unknownParameter)].slice(0, MAX_WARNINGS));
    done();
  };
}

/** Bodies of artifacts are bytes. */
function isJson(body: unknown): boolean {
  return typeof body === 'object' && body !== null && !Buffer.isBuffer(body);
}

function report(request: FastifyRequest, reply: FastifyReply, warnings: readonly Warning[]): void {
  setWarnings(request, reply, [...(request.warnings ?? []), ...warnings]);
  if (!prefersStrict(request.headers)) return;
  const [first] = warnings;
  const more = warnings.length - 1;
  throw new RequestError('unknown_field', `${first?.message}${more > 0 ? `; and ${more} more` : ''}`);
}

function setWarnings(request: FastifyRequest, reply: FastifyReply, warnings: readonly Warning[]): void {
  request.warnings = warnings;
  void reply.header(WARNINGS_HEADER, asciiJson(warnings));
}

function unknownField(field: UnknownField): Warning {
  const parent = field.path.slice(0, -field.name.length - 1);
  const place = parent === '' ? '' : ` in ${truncated(parent)}`;
  return warningOf('unknown_field', `unknown field ${JSON.stringify(truncated(field.name))}${place}`, 'fields', field);
}

function unknownParameter(parameter: UnknownField): Warning {
  const message = `unknown query parameter ${JSON.stringify(truncated(parameter.name))}`;
  return warningOf('unknown_parameter', message, 'parameters', parameter);
}

function warningOf(code: string, message: string, what: string, { name, path, known }: UnknownField): Warning {
  const listed = known.length > MAX_LISTED ? [...known.slice(0, MAX_LISTED), '…'] : known;
  const hint = didYouMean(name, known) ?? listOf(what, listed);
  return { code, message: `${message}; ${hint}`, path: truncated(path) };
}

function listOf(what: string, names: readonly string[]): string {
  if (names.length === 0) return `there are no ${what}`;
  return names.length === 1 ? `the only one is ${names[0]}` : `the ${what} are ${names.join(', ')}`;
}

/** A reply to a registration has `warnings` of its own, which are diagnostics. */
function withWarnings(payload: unknown, warnings: readonly Warning[]): unknown {
  if (!isObject(payload)) return payload;
  const { warnings: own } = payload;
  if (!Array.isArray(own)) return Object.assign({}, payload, { warnings });
  // New shape: none, the payload has this key.
  return { ...payload, warnings: [...own, ...warnings.map((w) => ({ severity: 'warning', node_id: null, hint: null, ...w }))] };
}

function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
