import { MAX_NAME_LENGTH } from '../limits.ts';
import { definitionOf } from '../nodes/index.ts';
import type { ToolFunction } from '../nodes/kind.ts';
import { type Fields, optional } from '../reading/fields.ts';
import type { Node, ToolConfig } from './workflow.ts';

const EXAMPLES: Readonly<Record<string, string>> = { python: 'app.tools:double', java: 'com.acme.Tools#convert' };

/** The nodes, with the Python or Java function that `tools` names added to those that call it. */
export function withToolFunctions(nodes: readonly Node[], tools: Readonly<Record<string, ToolConfig>>, fields: Fields): Node[] {
  const functions = new Map<string, ToolFunction>();
  for (const [name, { kind, reference }] of Object.entries(tools)) {
    const example = Object.hasOwn(EXAMPLES, kind) ? EXAMPLES[kind] : undefined;
    if (example === undefined) continue;
    const found = kind === 'python' ? optional('python', pythonFunction(reference)) : optional('java', javaMethod(reference));
    if (Object.keys(found).length > 0) functions.set(name, found);
    else {
      const problem = `does not name a ${kind === 'python' ? 'function' : 'method'}, so no ${kind} worker can call it`;
      fields.warning('bad_reference', `tools.${name}.reference`, problem, `write it as "${example}"`);
    }
  }
  if (functions.size === 0) return [...nodes];
  return nodes.map((node) => {
    const definition = definitionOf(node.kind);
    const named = functions.get(definition.catalogTool(node.kind) ?? '');
    return named === undefined ? node : { ...node, kind: definition.withFunction(node.kind, named) };
  });
}

/** `app.tools:double`, or `app.tools.double`. */
function pythonFunction(reference: string): ToolFunction['python'] {
  const [module, name] = split(reference, [':', '.']);
  return module === undefined || name === undefined ? undefined : { module, function: name };
}

/** `com.acme.Tools#convert`, `com.acme.Tools::convert`, `com.acme.Tools:convert` or `com.acme.Tools.convert`. */
function javaMethod(reference: string): ToolFunction['java'] {
  const [class_name, method] = split(reference, ['#', '::', ':', '.']);
  return class_name === undefined || method === undefined ? undefined : { class_name, method };
}

/** Both sides of the last occurrence of the first separator that occurs; empty when a side is no name. */
function split(reference: string, separators: readonly string[]): readonly string[] {
  const text = reference.trim();
  const separator = separators.find((candidate) => text.includes(candidate));
  if (separator === undefined || text.length > 2 * MAX_NAME_LENGTH) return [];
  const at = text.lastIndexOf(separator);
  const sides = [text.slice(0, at), text.slice(at + separator.length)];
  return sides.every((side) => /^[\p{ID_Start}_$][\p{ID_Continue}$.]*$/u.test(side)) ? sides : [];
}
