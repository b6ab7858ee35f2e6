import { compileExpression, references } from '../../machines/expression/index.ts';
import { compileTemplate, referencesOf } from '../../machines/expression/template.ts';
import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import { variablesIn } from '../../machines/variables.ts';

/** Keys whose text is a condition, without braces. */
const CONDITIONS: ReadonlySet<string> = new Set(['condition', 'when', 'if']);

/** The variables that a document names: `env.NAME` in templates and conditions, `${NAME}` in addresses, and `token_env: NAME` of credentials. */
export function variablesOf(document: JsonObject): readonly string[] {
  const found = new Set<string>();
  visit(document, '', found);
  return [...found].sort();
}

function visit(value: Json, key: string, found: Set<string>): void {
  if (Array.isArray(value)) for (const item of value as readonly Json[]) visit(item, key, found);
  else if (isObject(value)) for (const [inner, item] of Object.entries(value)) visit(item, inner, found);
  else if (typeof value === 'string') for (const name of namesIn(value, key)) found.add(name);
}

function namesIn(text: string, key: string): readonly string[] {
  if (key.endsWith('_env')) return /^[A-Za-z_]\w*$/.test(text) ? [text] : [];
  const read = [
    ...(text.includes('env') && text.includes('{{') ? referencesOf(compileTemplate(text)) : []),
    ...(text.includes('env') && CONDITIONS.has(key) ? references(compileExpression(text)) : []),
  ];
  const named = read.flatMap(({ root, path: [name] }) => (root === 'env' && name !== undefined ? [name] : []));
  return key === 'url' || key.endsWith('_url') || key === 'token_endpoint' ? [...named, ...variablesIn(text)] : named;
}
