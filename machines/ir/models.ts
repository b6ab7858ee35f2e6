import { isObject, type Json } from '../json.ts';
import { definitionOf } from '../nodes/index.ts';
import type { DeclaredModel } from '../nodes/kind.ts';
import { type Fields, optional } from '../reading/fields.ts';
import type { Node } from './workflow.ts';

/** The nodes, with the models that the workflow's `models` declare added to those that name them. */
export function withDeclaredModels(nodes: readonly Node[], fields: Fields): Node[] {
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
    for (const name of definition.catalogModels(kind)) {
      const declared = declaredAs(name);
      if (declared !== null) kind = definition.withModel(kind, name, declared);
    }
    return kind === node.kind ? node : { ...node, kind };
  });
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
