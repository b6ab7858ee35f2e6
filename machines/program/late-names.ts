import { compileTemplate, type Template } from '../expression/template.ts';
import { definitionOf, type Kind } from '../nodes/index.ts';

/** Policy names of a node that are known only when it begins. */
export interface LateNames {
  /** The state key with the tool calls that it carries out; null = none. */
  readonly calls: string | null;
  /** Its names that hold templates. */
  readonly templates: readonly Template[];
}

/** Null = all its names are known before. */
export function lateNamesOf(kind: Kind): LateNames | null {
  const definition = definitionOf(kind);
  const calls = definition.toolCalls(kind);
  const templates = definition.policyNames(kind).filter((name) => name.includes('{{'));
  return calls === null && templates.length === 0 ? null : { calls, templates: templates.map((name) => compileTemplate(name)) };
}
