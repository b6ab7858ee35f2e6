import { setImmediate } from 'node:timers/promises';
import { inputSchemaOf } from '../../../machines/ir/input-schema.ts';
import { type Channel, channelsIn } from '../../../machines/ir/publish.ts';
import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { WorkflowRow, WorkflowVersionRow } from '../../../store/port/control.ts';
import type { TenantStore } from '../../../store/port/execution-store.ts';
import type { Store } from '../../../store/port/store.ts';
import { RecentlyUsed } from '../../../store/recently-used.ts';

/** Workflows of a tenant that are looked at, by id. */
const MAX_WORKFLOWS = 2_000;
const PAGE_SIZE = 200;
const MAX_CACHED = 10_000;

/** A workflow that its document publishes. */
export interface PublishedWorkflow {
  readonly workflowId: string;
  readonly version: string;
  /** For people. */
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the input; null = any object. */
  readonly inputSchema: JsonObject | null;
}

interface Publication extends PublishedWorkflow {
  readonly channels: readonly Channel[];
}

/** The published workflows of tenants: the latest version of each decides. What a revision publishes never changes, and is kept. */
export class PublishedWorkflows {
  readonly #store: Pick<Store, 'tenant'>;
  readonly #known = new RecentlyUsed<string, { readonly published: Publication | null }>(MAX_CACHED);

  constructor(store: Pick<Store, 'tenant'>) {
    this.#store = store;
  }

  async list(tenantId: string, channel: Channel): Promise<readonly PublishedWorkflow[]> {
    const tenant = this.#store.tenant(tenantId);
    const published: PublishedWorkflow[] = [];
    for (let offset = 0; offset < MAX_WORKFLOWS; offset += PAGE_SIZE) {
      const rows = await tenant.workflows({ limit: PAGE_SIZE, offset });
      for (const row of rows) {
        const publication = await this.#publicationOf(tenant, row);
        if (publication?.channels.includes(channel) === true) published.push(publication);
      }
      if (rows.length < PAGE_SIZE) break;
      await setImmediate();
    }
    return published;
  }

  /** Documents are read one by one, with other work in between: they may be large. */
  async #publicationOf(tenant: TenantStore, row: WorkflowVersionRow): Promise<Publication | null> {
    const key = `${row.workflowId}\0${row.version}\0${row.revision}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known.published;
    await setImmediate();
    const stored = await tenant.workflow(row.workflowId, row.version);
    if (stored === null || stored.revision !== row.revision) return null;
    const published = publicationIn(stored);
    this.#known.set(key, { published });
    return published;
  }
}

function publicationIn({ workflowId, version, source }: WorkflowRow): Publication | null {
  // Most documents publish nothing, and need not be parsed.
  if (!source.includes('"publish"')) return null;
  const document = JSON.parse(source) as Json;
  if (!isObject(document)) return null;
  const channels = channelsIn(document.publish) ?? [];
  if (channels.length === 0) return null;
  const { name, description } = document;
  return {
    workflowId,
    version,
    name: typeof name === 'string' && name !== '' ? name : workflowId,
    description: typeof description === 'string' && description !== '' ? description : `Runs the workflow ${workflowId}.`,
    inputSchema: publishedSchema(document),
    channels,
  };
}

/** The state schema. What it requires may be written by the workflow itself, unless inputs must fit it. */
function publishedSchema({ state_schema, strict_input }: JsonObject): JsonObject | null {
  const schema = typeof state_schema === 'string' ? parsed(state_schema) : (state_schema ?? null);
  if (!isObject(schema) || (schema.type !== 'object' && !isObject(schema.properties ?? null))) return null;
  if (strict_input === true) return inputSchemaOf({ strict_input, state_schema: schema });
  const { required: _, ...rest } = schema;
  return { ...rest, type: 'object' };
}

/** Null for a text that is not JSON, such as the name of a class. */
function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}
