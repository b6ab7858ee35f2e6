import { isObject } from '../json.ts';
import { definitionOf } from '../nodes/index.ts';
import { type Fields, optional } from '../reading/fields.ts';
import type { Node } from './workflow.ts';

/** The nodes, with the model that the workflow's `models` declare added to those that name it. */
export function withDeclaredModels(nodes: readonly Node[], fields: Fields): Node[] {
  const models = fields.object('models') ?? {};
  const read = fields.inside('models', models);
  return nodes.map((node) => {
    const definition = definitionOf(node.kind);
    const name = definition.catalogModel(node.kind);
    if (name === null || !Object.hasOwn(models, name)) return node;
    const raw = models[name];
    if (!isObject(raw)) {
      read.error('wrong_type', name, 'must be an object {provider, model}');
      return node;
    }
    const config = read.inside(name, raw);
    const declared = {
      provider: config.requiredName('provider'),
      model: config.requiredName('model'),
      ...optional('temperature', config.number(['temperature'], 0)),
      ...optional('max_tokens', config.integer(['max_tokens'], 1)),
    };
    return { ...node, kind: definition.withModel(node.kind, declared) };
  });
}
