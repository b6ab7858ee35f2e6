import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import type { buildApp } from '../../src/api/app.ts';
import { TAGGED_JSON } from '../../src/api/schemas/events.ts';

/** The parts of a reply that an OpenAPI document describes. */
export interface Replied {
  readonly status: number;
  readonly contentType: string;
  /** Undefined if there is none. */
  readonly body: unknown;
}

/** Generating the document takes longer than most requests, so the document of the first server is used for all, unless it reports a problem. */
let first: Conformance | null = null;

/** Describes how a reply differs from the server's own document; null if it conforms. */
export async function undocumented(
  app: ReturnType<typeof buildApp>,
  method: string,
  url: string,
  reply: Replied,
): Promise<string | null> {
  const own = async (): Promise<Conformance> => new Conformance((await app.inject('/openapi.json')).json());
  first ??= await own();
  const problem = first.problem(method, url, reply);
  return problem === null ? null : (await own()).problem(method, url, reply);
}

const PREFIXES = /^\/(?:compat|api\/v1)(?=\/|$)/;
const ERROR = '#/components/schemas/ApiErrorBody';

/**
 * Validates replies against an OpenAPI document. Stricter than the document: a field that a schema does not list is an error too, so that
 * every field is documented.
 */
class Conformance {
  readonly #document: JsonObject;
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, discriminator: true });
  readonly #compiled = new Map<string, ValidateFunction>();
  readonly #paths: readonly { readonly path: string; readonly pattern: RegExp }[];

  constructor(document: JsonObject) {
    this.#document = document;
    this.#ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    this.#ajv.addSchema(closed(document) as JsonObject, 'openapi');
    this.#paths = Object.keys(object(document.paths))
      // Fixed segments take precedence over parameters, as in the router.
      .sort((a, b) => (a.replaceAll('{', '~') < b.replaceAll('{', '~') ? -1 : 1))
      .map((path) => ({ path, pattern: new RegExp(`^${path.replace(/[.+*]/g, '\\$&').replace(/\{[^}]+\}/g, '[^/]+')}$`) }));
  }

  /** Describes how the reply differs from the document; null if it conforms. */
  problem(method: string, url: string, reply: Replied): string | null {
    // Normalised as fetch sends it: `/%2e%2e/workers` is `/workers`.
    const path = URL.canParse(`http://localhost${url}`) ? new URL(`http://localhost${url}`).pathname : url;
    const found = this.#find(method, path);
    // Requests to unknown routes must get an error in the documented form.
    if (found === null) return reply.status < 400 ? `${method} ${path} is not documented` : this.#check(ERROR, reply.body, path);
    const { operation, at, responses } = found;
    const response = responses[String(reply.status)];
    if (response === undefined) return `${operation}: status ${reply.status} is not documented`;
    const [pointer, { content }] = this.#resolve(`${at}/responses/${reply.status}`, object(response));
    if (content === undefined) return reply.body === undefined ? null : `${operation}: no body of ${reply.status} is documented`;
    const type = Object.keys(object(content)).find((type) => type === '*/*' || reply.contentType.startsWith(type));
    if (type === undefined) return `${operation}: ${reply.contentType} is not documented for ${reply.status}`;
    if (type !== 'application/json' && type !== TAGGED_JSON) return null;
    // Clients that cannot request the tagged form by its media type get it as JSON.
    const form = type === 'application/json' && isTagged(reply.body) ? TAGGED_JSON : type;
    return this.#check(`${pointer}/content/${form.replaceAll('/', '~1')}/schema`, reply.body, `${operation} ${reply.status}`);
  }

  #find(method: string, path: string): { operation: string; at: string; responses: JsonObject } | null {
    for (const candidate of new Set([path, path.replace(PREFIXES, '')])) {
      for (const { path: template, pattern } of this.#paths) {
        const operation = pattern.test(candidate)
          ? object(object(this.#document.paths)[template] ?? {})[method.toLowerCase()]
          : undefined;
        if (operation === undefined) continue;
        const at = `#/paths/${template.replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D')}/${method.toLowerCase()}`;
        return { operation: `${method} ${template}`, at, responses: object(object(operation).responses) };
      }
    }
    return null;
  }

  #resolve(pointer: string, value: JsonObject): readonly [string, JsonObject] {
    if (typeof value.$ref !== 'string') return [pointer, value];
    const target = value.$ref
      .slice(2)
      .split('/')
      .reduce<Json>((at, key) => object(at)[key] ?? null, this.#document);
    return [value.$ref, object(target)];
  }

  #check(pointer: string, body: unknown, what: string): string | null {
    let validate = this.#compiled.get(pointer);
    if (validate === undefined) {
      validate = this.#ajv.compile({ $ref: `openapi${pointer}` });
      this.#compiled.set(pointer, validate);
    }
    if (validate(body)) return null;
    const errors = validate.errors?.map((error) => `${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`);
    return `${what}: ${errors?.join('; ')}\n${JSON.stringify(body).slice(0, 2_000)}`;
  }
}

function isTagged(body: unknown): boolean {
  const events = isObject(body) ? body.events : null;
  return Array.isArray(events) && isObject(events[0]) && isObject(events[0].kind) && 'kind_name' in events[0];
}

/** Adds `additionalProperties: false` to objects with listed properties. */
function closed(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => closed(item));
  if (!isObject(value)) return value;
  // Ajv distinguishes the members of a union by `propertyName` only.
  if (value.propertyName !== undefined && value.mapping !== undefined) return { propertyName: value.propertyName };
  const inner = Object.fromEntries(Object.entries(value).map(([key, part]) => [key, closed(part)]));
  const open = value.type === 'object' && isObject(value.properties) && value.additionalProperties === undefined;
  return open ? { ...inner, additionalProperties: false } : inner;
}

function object(value: Json | undefined): JsonObject {
  if (!isObject(value)) throw new Error(`not an object: ${JSON.stringify(value)}`);
  return value;
}
