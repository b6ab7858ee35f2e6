import { isObject, type Json } from '../../machines/json.ts';
import { variablesAsTemplates } from '../../machines/variables.ts';
import type { NodeDraft } from './node-draft.ts';

/** Keys of kinds that hold addresses, or what is sent there with every request. They are templates. */
const ADDRESS_KEYS = ['url', 'agent_url', 'agent_uri', 'agent', 'agent_ref', 'remote_agent', 'headers'];

/** The kind with `${NAME}` in its addresses as the template that reads the variable. */
export function withTemplatedVariables(kind: Readonly<Record<string, Json>>): Readonly<Record<string, Json>> {
  const changed = ADDRESS_KEYS.flatMap((key) => (kind[key] === undefined ? [] : [[key, templated(kind[key])] as const]));
  return changed.length === 0 ? kind : { ...kind, ...Object.fromEntries(changed) };
}

function templated(value: Json): Json {
  if (typeof value === 'string') return variablesAsTemplates(value);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, templated(item)]));
}

/** The nodes that name an MCP server by its URL, with the servers that they stand for: each has the id of its node. */
export function withInlineServers(drafts: readonly NodeDraft[]): {
  readonly drafts: readonly NodeDraft[];
  readonly servers: Readonly<Record<string, Json>>;
} {
  const servers: Record<string, Json> = {};
  const named = drafts.map((draft) => {
    const { server_url: url, ...kind } = draft.kind;
    if (typeof url !== 'string') return draft;
    servers[draft.id] = { url };
    return { ...draft, kind: { ...kind, server: draft.id } };
  });
  return { drafts: named, servers };
}
