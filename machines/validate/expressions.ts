import { compileExpression, type Expression, MAX_EXPRESSION_LENGTH, references, unknownOperations } from '../expression.ts';
import type { Problems } from '../ir/problems.ts';
import type { Node, Workflow } from '../ir/workflow.ts';
import { isObject, type Json } from '../json.ts';
import { definitionOf } from '../nodes/index.ts';
import { didYouMean } from '../suggest.ts';
import { compileTemplate } from '../template.ts';

interface Place {
  readonly node_id: string;
  readonly path: string;
}

/** Conditions and templates that cannot be read, or that read what is not there. */
export function checkExpressions(workflow: Workflow, problems: Problems): void {
  const known = stateKeys(workflow);
  const condition = (text: string | null, what: string, place: Place): void => {
    if (text === null) return;
    const expression = compileExpression(text);
    if (text.length > MAX_EXPRESSION_LENGTH) problems.error('condition_too_large', `${what} is ${expression.error}`, place);
    else if (expression.error !== null) {
      problems.warning('bad_condition', `${what} cannot be read and is always false: ${expression.error}`, place);
    }
    unknownNames(expression, what, place, problems);
    unknownVariables(expression, what, place, known, problems);
  };
  workflow.edges.forEach((edge, i) => {
    condition(edge.condition, `the condition of "${edge.from}" → "${edge.to}"`, {
      node_id: edge.from,
      path: `edges[${i}].condition`,
    });
  });
  for (const node of workflow.nodes) {
    if (node.kind.type === 'condition') {
      node.kind.branches.forEach((branch, i) => {
        const place = { node_id: node.id, path: `nodes.${node.id}.kind.branches[${i}].condition` };
        condition(branch.condition, `node "${node.id}": the condition for "${branch.target}"`, place);
      });
    }
    for (const { key, value, scope } of templatesOf(node)) {
      template(value, { node_id: node.id, path: `nodes.${node.id}.kind.${key}` }, scope === 'child' ? null : known, problems);
    }
  }
}

/** What a node's kind lets the author write as templates. `child`: the state looked at is the child execution's. */
function templatesOf({ kind }: Node): { key: string; value: Json; scope: 'own' | 'child' }[] {
  const mapping = definitionOf(kind).mapping(kind);
  const found: { key: string; value: Json; scope: 'own' | 'child' }[] = [];
  if (kind.type === 'http' && isObject(mapping)) {
    for (const [key, value] of Object.entries(mapping)) found.push({ key, value, scope: 'own' });
  } else if (mapping !== null) found.push({ key: 'input_mapping', value: mapping, scope: 'own' });
  if (kind.type === 'human_approval') found.push({ key: 'description', value: kind.description, scope: 'own' });
  if (kind.type === 'subgraph') found.push({ key: 'output_mapping', value: kind.output_mapping, scope: 'child' });
  return found;
}

function template(value: Json, place: Place, known: ReadonlySet<string> | null, problems: Problems): void {
  const where = `node "${place.node_id}": `;
  const { expressions, errors, suspicious } = compileTemplate(value);
  for (const error of errors) problems.error('template_too_large', `${where}${error}`, place);
  for (const text of suspicious) {
    const hint = 'only {{ expression }} is a template, and it must be closed';
    problems.warning('not_a_template', `${where}"${text.slice(0, 60)}" is taken as plain text`, { ...place, hint });
  }
  for (const expression of expressions) {
    const what = `${where}{{ ${expression.text.trim().slice(0, 60)} }}`;
    if (expression.text.length > MAX_EXPRESSION_LENGTH) {
      problems.error('template_too_large', `${what} is ${expression.error}`, place);
    } else if (expression.error !== null) {
      problems.warning('bad_template', `${what} cannot be read and is always empty: ${expression.error}`, place);
    }
    unknownNames(expression, what, place, problems);
    unknownVariables(expression, what, place, known, problems);
  }
}

function unknownNames(expression: Expression, what: string, place: Place, problems: Problems): void {
  for (const unknown of unknownOperations(expression)) {
    const hint = () => didYouMean(unknown.name, unknown.known) ?? `known: ${[...unknown.known].join(', ')}`;
    problems.warning(`unknown_${unknown.what}`, `${what} uses the ${unknown.what} "${unknown.name}", which does not exist`, {
      ...place,
      hint,
    });
  }
}

function unknownVariables(
  expression: Expression,
  what: string,
  place: Place,
  known: ReadonlySet<string> | null,
  problems: Problems,
): void {
  if (known === null) return;
  for (const { root, path } of references(expression)) {
    const [name] = path;
    if (root !== 'state' || name === undefined || known.has(name)) continue;
    const hint = () => didYouMean(name, known) ?? 'add it to the state schema';
    problems.warning('unknown_variable', `${what} reads state.${name}, which the state schema does not have`, { ...place, hint });
  }
}

/** The keys that the state may have, when its schema says so: those of the schema and those the nodes themselves add. */
function stateKeys(workflow: Workflow): ReadonlySet<string> | null {
  const schema = workflow.state_schema;
  if (schema === null) return null;
  const isJsonSchema = isObject(schema.properties) || typeof schema.type === 'string' || typeof schema.$schema === 'string';
  const properties = isJsonSchema ? schema.properties : schema;
  const open = isJsonSchema && (schema.additionalProperties === true || isObject(schema.additionalProperties));
  if (open || !isObject(properties) || Object.keys(properties).length === 0) return null;
  const keys = new Set(Object.keys(properties));
  for (const { id, kind } of workflow.nodes) {
    keys.add(id);
    if ('output_key' in kind && kind.output_key !== undefined) keys.add(kind.output_key);
    if (kind.type === 'subgraph' && isObject(kind.output_mapping))
      for (const key of Object.keys(kind.output_mapping)) keys.add(key);
  }
  return keys;
}
