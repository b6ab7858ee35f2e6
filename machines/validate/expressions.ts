import type { Cooperative } from '../cooperative.ts';
import { compileExpression, type Expression, references, unknownOperations } from '../expression/index.ts';
import { FACTS } from '../expression/syntax-tree.ts';
import { compileTemplate, type Template } from '../expression/template.ts';
import type { Node, Workflow } from '../ir/workflow.ts';
import { isObject, type Json } from '../json.ts';
import { MAX_EXPRESSIONS } from '../limits.ts';
import { definitionOf } from '../nodes/index.ts';
import { namedKeysOf } from '../program/internal-state.ts';
import type { Problems } from '../reading/problems.ts';
import { shortened } from '../shortened.ts';
import { didYouMean } from '../suggest.ts';

interface ExpressionLocation {
  readonly node_id: string;
  readonly path: string;
}

/** Warns of conditions and templates that cannot be parsed or read unknown names; refuses those that are too large or too many. */
export function* checkExpressions(workflow: Workflow, problems: Problems): Cooperative<void> {
  const check = new ExpressionChecker(problems, stateKeys(workflow));
  for (const [i, { from, to, condition }] of workflow.edges.entries()) {
    check.condition(condition, `the condition of "${from}" → "${to}"`, { node_id: from, path: `edges[${i}].condition` });
    yield;
  }
  for (const node of workflow.nodes) {
    const { id, kind } = node;
    const path = `nodes.${id}.kind`;
    for (const [i, { condition, target }] of definitionOf(kind).branches(kind).entries()) {
      const location = { node_id: id, path: `${path}.branches[${i}].condition` };
      check.condition(condition, `node "${id}": the condition for "${target}"`, location);
      yield;
    }
    yield;
    for (const { text, key } of definitionOf(kind).assertions(kind))
      check.assertion(text, { node_id: id, path: `${path}.${key}` });
    for (const { key, value, scope, givesList } of templatesOf(node))
      check.template(value, { node_id: id, path: `${path}.${key}` }, scope, givesList);
  }
}

class ExpressionChecker {
  readonly #problems: Problems;
  /** Known keys of the state; null = any key may be in it. */
  readonly #knownKeys: ReadonlySet<string> | null;
  #count = 0;

  constructor(problems: Problems, known: ReadonlySet<string> | null) {
    this.#problems = problems;
    this.#knownKeys = known;
  }

  condition(text: string | null, subject: string, location: ExpressionLocation): void {
    if (text === null || !this.#isWithinLimit(1)) return;
    const expression = compileExpression(text);
    if (expression.tooLarge) this.#problems.error('condition_too_large', `${subject} is ${expression.error}`, location);
    else if (expression.error !== null) {
      this.#problems.warning('bad_condition', `${subject} cannot be read and is always false: ${expression.error}`, location);
    }
    this.#factsInCondition(expression, subject, location);
    this.#unknownOperations(expression, subject, location);
    this.#unknownVariables(expression, subject, location);
  }

  /** An assertion that cannot be read would never hold. */
  assertion(text: string, location: ExpressionLocation): void {
    if (!this.#isWithinLimit(1)) return;
    const expression = compileExpression(text);
    const subject = `node "${location.node_id}": the check "${shortened(text, 100)}"`;
    if (expression.error !== null)
      this.#problems.error('bad_assertion', `${subject} cannot be read: ${expression.error}`, location);
    for (const unknown of unknownOperations(expression)) {
      const hint = () => didYouMean(unknown.name, unknown.known) ?? `known: ${unknown.known.join(', ')}`;
      const message = `${subject} uses the ${unknown.what} "${shortened(unknown.name, 60)}", which does not exist`;
      this.#problems.error('bad_assertion', message, { ...location, hint });
    }
    this.#unknownVariables(expression, subject, location);
  }

  /** `givesList`: it is an expression that gives a list, or a list. */
  template(value: Json, location: ExpressionLocation, scope: 'own' | 'child', givesList = false): void {
    if (!this.#isWithinLimit(0)) return;
    const where = `node "${location.node_id}": `;
    const { root, expressions, errors, suspicious } = compileTemplate(value);
    if (!this.#isWithinLimit(expressions.length)) return;
    const noList = givesList ? whyNoList(root) : null;
    if (noList !== null) {
      const message = `${where}items must be an expression that gives a list, or a list${noList}`;
      this.#problems.error('wrong_type', message, { ...location, hint: 'such as "{{ state.customers }}"' });
      return;
    }
    for (const error of errors) this.#problems.error('template_too_large', `${where}${error}`, location);
    for (const text of suspicious) {
      const hint = 'only {{ expression }} is a template, and it must be closed';
      this.#problems.warning('not_a_template', `${where}"${shortened(text, 60)}" is treated as plain text`, {
        ...location,
        hint,
      });
    }
    for (const expression of expressions) {
      const subject = `${where}{{ ${shortened(expression.text.trim(), 60)} }}`;
      if (expression.tooLarge) this.#problems.error('template_too_large', `${subject} is ${expression.error}`, location);
      else if (expression.error !== null) {
        this.#problems.warning('bad_template', `${subject} cannot be read and is always empty: ${expression.error}`, location);
      }
      this.#unknownOperations(expression, subject, location);
      if (scope === 'own') this.#unknownVariables(expression, subject, location);
    }
  }

  /** Counts expressions against `MAX_EXPRESSIONS`. Parsing them is most of the work of validating and compiling. */
  #isWithinLimit(more: number): boolean {
    const wereFew = this.#count <= MAX_EXPRESSIONS;
    this.#count += more;
    const few = this.#count <= MAX_EXPRESSIONS;
    if (wereFew && !few) {
      this.#problems.error('too_many_expressions', `there are more than ${MAX_EXPRESSIONS} conditions and templates`);
    }
    return few;
  }

  /** Conditions must not depend on the identity of an execution. */
  #factsInCondition(expression: Expression, subject: string, location: ExpressionLocation): void {
    const facts = new Set(references(expression).flatMap(({ root }) => (FACTS.some((fact) => fact === root) ? [root] : [])));
    for (const fact of facts) {
      const hint = 'pass it to a node in a template and decide by the output of that node';
      this.#problems.warning(
        'fact_in_condition',
        `${subject} reads ${fact}, which is available in templates only and null here`,
        {
          ...location,
          hint,
        },
      );
    }
  }

  #unknownOperations(expression: Expression, subject: string, location: ExpressionLocation): void {
    for (const unknown of unknownOperations(expression)) {
      const hint = () => didYouMean(unknown.name, unknown.known) ?? `known: ${unknown.known.join(', ')}`;
      const message = `${subject} uses the ${unknown.what} "${shortened(unknown.name, 60)}", which does not exist`;
      this.#problems.warning(`unknown_${unknown.what}`, message, { ...location, hint });
    }
  }

  #unknownVariables(expression: Expression, subject: string, location: ExpressionLocation): void {
    const known = this.#knownKeys;
    if (known === null) return;
    for (const { root, path } of references(expression)) {
      const [name] = path;
      if (root !== 'state' || name === undefined || known.has(name)) continue;
      const hint = () => didYouMean(name, known) ?? 'add it to the state schema';
      const message = `${subject} reads state.${shortened(name, 60)}, which the state schema does not have`;
      this.#problems.warning('unknown_variable', message, { ...location, hint });
    }
  }
}

/** Says why the template cannot give a list, whatever the state is; null = it may. */
function whyNoList(root: Template['root']): string | null {
  if (root.type === 'list' || (root.type === 'constant' && Array.isArray(root.value))) return null;
  if (root.type !== 'expression') return ', not a text';
  const { tree, error, tooLarge } = root.expression;
  if (tree?.type === 'literal' || tree?.type === 'object') return `, not ${shortened(root.expression.text.trim(), 60)}`;
  return error === null || tooLarge ? null : `: ${error}`;
}

interface KindTemplate {
  readonly key: string;
  readonly value: Json;
  readonly givesList?: true;
  /** Whose state its expressions read: the execution's, or that of the child execution. */
  readonly scope: 'own' | 'child';
}

/** The templates in a node's kind. */
function templatesOf({ kind }: Node): KindTemplate[] {
  const definition = definitionOf(kind);
  const found: KindTemplate[] = [];
  const mapping = definition.mapping(kind);
  if (definition.mappingKey === null && isObject(mapping)) {
    for (const [key, value] of Object.entries(mapping)) found.push({ key, value, scope: 'own' });
  } else if (mapping !== null) found.push({ key: definition.mappingKey ?? '', value: mapping, scope: 'own' });
  const atStart = definition.startTemplate(kind);
  if (atStart !== null) found.push({ key: atStart.key, value: atStart.template, scope: 'own' });
  const work = definition.itemWork(kind);
  if (work !== null) {
    found.push({ key: 'items', value: work.items, scope: 'own', givesList: true });
    if (work.output !== null) found.push({ key: 'output', value: work.output, scope: 'own' });
  }
  const outputMapping = definition.outputMapping(kind);
  if (outputMapping !== null) found.push({ key: 'output_mapping', value: outputMapping, scope: 'child' });
  return found;
}

/** The keys that the state may have: those of its schema and those that nodes add. Null when the schema allows any key. */
function stateKeys(workflow: Workflow): ReadonlySet<string> | null {
  const schema = workflow.state_schema;
  if (schema === null) return null;
  const isJsonSchema = isObject(schema.properties) || typeof schema.type === 'string' || typeof schema.$schema === 'string';
  const properties = isJsonSchema ? schema.properties : schema;
  const open = isJsonSchema && (schema.additionalProperties === true || isObject(schema.additionalProperties));
  if (open || !isObject(properties) || Object.keys(properties).length === 0) return null;
  const keys = new Set(Object.keys(properties));
  if (workflow.cost_budget_usd !== null) keys.add('__cost_exceeded__');
  for (const { id, kind } of workflow.nodes) {
    keys.add(id);
    for (const key of [...namedKeysOf(kind), ...Object.keys(definitionOf(kind).patchedKeys(kind))]) keys.add(key);
  }
  return keys;
}
