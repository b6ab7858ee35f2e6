import { isObject, type Json, type JsonObject } from '../json.ts';
import { definitionOf } from '../nodes/index.ts';
import type { DeclaredModel } from '../nodes/kind.ts';
import { type Fields, optional } from '../reading/fields.ts';
import { type RetryPolicies, retryOf } from './retry.ts';
import type { Node } from './workflow.ts';

/**
 * The nodes, with the models that the workflow's `models` declare added to those that name them. The time limit and the retry policy of a model are
 * those of the nodes that ask it and set none themselves.
 */
export function withDeclaredModels(nodes: readonly Node[], fields: Fields, policies: RetryPolicies): Node[] {
  const models = fields.object('models') ?? {};
  const read = fields.inside('models', models);
  const known = new Map<string, DeclaredModel | null>();
  const declaredAs = (name: string): DeclaredModel | null => {
    let declared = known.get(name);
    if (declared === undefined) {
      declared = Object.hasOwn(models, name) ? declaredModel(read, name, models[name]) : null;
      known.set(name, declared);
    }
    return declared;
  };
  return nodes.map((node) => {
    const definition = definitionOf(node.kind);
    let { kind } = node;
    for (const name of new Set([...definition.catalogModels(kind), ...definition.furtherCatalogModels(kind)])) {
      const declared = declaredAs(name);
      if (declared !== null) kind = definition.withModel(kind, name, declared);
    }
    if (kind === node.kind) return node;
    const [name = '', ...others] = definition.catalogModels(node.kind);
    return others.length > 0 ? { ...node, kind } : { ...node, kind, ...limitsOf(read, name, models[name], node, policies) };
  });

  /** Of the only model that the node asks. */
  function limitsOf(
    read: Fields,
    name: string,
    raw: Json | undefined,
    node: Node,
    policies: RetryPolicies,
  ): Partial<Pick<Node, 'retry' | 'timeout_secs'>> {
    if (!isObject(raw)) return {};
    const config = read.inside(name, raw);
    const timeout = config.seconds(['timeout_secs']);
    const retry = raw.retry_policy === undefined || raw.retry_policy === null ? undefined : retryOf(config, policies);
    const own = rawNode(fields, node.id);
    return {
      ...(timeout === undefined || hasOwn(own, TIMEOUT_KEYS) ? {} : { timeout_secs: timeout }),
      ...(retry === undefined || hasOwn(own, RETRY_KEYS) ? {} : { retry }),
    };
  }
}

const TIMEOUT_KEYS = ['node_timeout_secs', 'timeout_secs', 'timeout'];
const RETRY_KEYS = ['retry_policy', 'retry'];

/** The node as the document has it; null = it belongs to an agent. */
function rawNode(fields: Fields, id: string): JsonObject | null {
  const nodes = fields.raw.nodes ?? null;
  const found = Array.isArray(nodes)
    ? (nodes as readonly Json[]).find((one) => isObject(one) && one.id === id)
    : isObject(nodes) && Object.hasOwn(nodes, id)
      ? nodes[id]
      : undefined;
  return isObject(found) ? found : null;
}

function hasOwn(raw: JsonObject | null, keys: readonly string[]): boolean {
  const places = raw === null ? [] : [raw, ...(isObject(raw.kind) ? [raw.kind] : [])];
  return places.some((place) => keys.some((key) => (place[key] ?? null) !== null));
}

function declaredModel(models: Fields, name: string, raw: Json | undefined): DeclaredModel | null {
  if (!isObject(raw)) {
    models.error('wrong_type', name, 'must be an object {provider, model}');
    return null;
  }
  const config = models.inside(name, raw);
  return {
    provider: config.requiredName('provider'),
    model: config.requiredName('model'),
    ...optional('temperature', config.number(['temperature'], 0)),
    ...optional('max_tokens', config.integer(['max_tokens'], 1)),
  };
}
