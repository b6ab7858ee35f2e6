import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import * as agents from '../operations/agents.ts';
import * as approvals from '../operations/approvals.ts';
import * as audit from '../operations/audit.ts';
import * as coordinator from '../operations/coordinator.ts';
import * as cron from '../operations/cron.ts';
import * as executions from '../operations/executions.ts';
import * as history from '../operations/history.ts';
import * as identity from '../operations/identity.ts';
import * as interventions from '../operations/interventions.ts';
import * as jobs from '../operations/jobs.ts';
import * as journalOperations from '../operations/journal-operations.ts';
import * as keyedEvents from '../operations/keyed-events.ts';
import * as memory from '../operations/memory.ts';
import * as nodes from '../operations/nodes.ts';
import * as signIn from '../operations/sign-in.ts';
import * as tenants from '../operations/tenants.ts';
import * as threads from '../operations/threads.ts';
import * as tokens from '../operations/tokens.ts';
import * as updates from '../operations/updates.ts';
import * as webhooks from '../operations/webhooks.ts';
import * as workItems from '../operations/work-items.ts';
import * as workers from '../operations/workers.ts';
import * as workflowFindings from '../operations/workflow-findings.ts';
import * as workflows from '../operations/workflows.ts';
import * as a2a from '../schemas/a2a.ts';
import * as artifacts from '../schemas/artifacts.ts';
import * as diagrams from '../schemas/diagrams.ts';
import * as errors from '../schemas/errors.ts';
import * as events from '../schemas/events.ts';
import * as federation from '../schemas/federation.ts';
import * as health from '../schemas/health.ts';
import * as mcp from '../schemas/mcp.ts';
import * as warnings from '../schemas/warnings.ts';

/** The schema files. Every exported object schema is a component of the document, under the name of its export. */
export const SCHEMAS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  a2a,
  agents,
  approvals,
  artifacts,
  audit,
  coordinator,
  cron,
  diagrams,
  errors,
  events: { ...events, ...events.EVENT_COMPONENTS },
  executions,
  federation,
  health,
  history,
  identity,
  interventions,
  jobs,
  'journal-operations': journalOperations,
  'keyed-events': keyedEvents,
  mcp,
  memory,
  nodes,
  'sign-in': signIn,
  tenants,
  threads,
  tokens,
  warnings,
  updates,
  webhooks,
  'work-items': workItems,
  workers,
  'workflow-findings': workflowFindings,
  workflows,
};

const REFERENCE = '#/components/schemas/';

/** Collects the schemas to which a document refers by name while it is written. */
export class Components {
  /** By identity, because schemas of different resources may be equal. */
  readonly #names = new Map<unknown, string>();
  /** By content without the description, for copies such as optional properties and other descriptions. */
  readonly #namesByText = new Map<string, string>();
  readonly #descriptions = new Map<string, Json | undefined>();
  readonly #used = new Map<string, Json>();
  /** Names of the schemas of whole replies. */
  readonly #replies = new Set<string>();

  constructor() {
    for (const [name, schema] of Object.values(SCHEMAS).flatMap((file) => Object.entries(file))) {
      if (!isNamed(schema)) continue;
      this.#names.set(schema, name);
      this.#descriptions.set(name, schema.description);
      const text = withoutDescription(schema);
      if (!this.#namesByText.has(text)) this.#namesByText.set(text, name);
    }
  }

  /** The schema with references to named schemas. A reference has a description if this use has one of its own. */
  write(schema: unknown): Json {
    if (!isNamed(schema)) return this.#inside(schema);
    const name = this.#names.get(schema) ?? this.#namesByText.get(withoutDescription(schema));
    if (name === undefined) return this.#inside(schema);
    if (!this.#used.has(name)) {
      this.#used.set(name, null);
      this.#used.set(name, this.#inside({ ...schema, description: this.#descriptions.get(name) ?? null }));
    }
    const { description } = schema;
    const own = description === undefined || description === this.#descriptions.get(name) ? {} : { description };
    return { ...own, $ref: `${REFERENCE}${name}` };
  }

  /** The schema of a reply: like `write`, with the property `warnings` that every reply may have. */
  writeReply(schema: unknown): Json {
    const written = this.write(schema);
    if (!isObject(written)) return written;
    if (typeof written.$ref === 'string') this.#replies.add(written.$ref.slice(REFERENCE.length));
    return this.#withWarnings(written);
  }

  /** The schemas that were referred to, by name. */
  schemas(): JsonObject {
    const schemas = [...this.#used].map(([name, schema]): [string, Json] => [
      name,
      this.#replies.has(name) && isObject(schema) ? this.#withWarnings(schema) : schema,
    ]);
    return Object.fromEntries(schemas.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #withWarnings(schema: JsonObject): JsonObject {
    const { properties } = schema;
    if (!isObject(properties) || properties.warnings !== undefined) return schema;
    return { ...schema, properties: { ...properties, warnings: this.write(warnings.warningsOfReply) } };
  }

  #inside(value: unknown): Json {
    if (Array.isArray(value)) return value.map((item) => this.write(item));
    if (!isObject(value)) return value as Json;
    return Object.fromEntries(Object.entries(explicitlyOpen(value)).map(([key, inner]) => [key, this.write(inner)]));
  }
}

/** Objects with properties and unions can be components; other schemas are written inline. */
function isNamed(schema: unknown): schema is JsonObject {
  return isObject(schema) && (isObject(schema.properties) || Array.isArray(schema.oneOf));
}

function withoutDescription(schema: JsonObject): string {
  const { description: _, ...rest } = schema;
  return JSON.stringify(rest);
}

/** Makes objects without properties explicitly open, since generated clients would treat them as empty. */
function explicitlyOpen(schema: JsonObject): JsonObject {
  if (schema.type !== 'object' || schema.properties !== undefined || schema.additionalProperties !== undefined) return schema;
  const { patternProperties, ...rest } = schema;
  const any = isObject(patternProperties) ? patternProperties['^.*$'] : undefined;
  return any === undefined ? { ...schema, additionalProperties: true } : { ...rest, additionalProperties: any };
}
