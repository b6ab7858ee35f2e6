import { invalid } from '../http-content.ts';

/** The variables that the operator has given to a tenant. */
export type Vars = Readonly<Record<string, string>>;

/** The value of `${NAME}`; any other text is itself. Throws `WorkError` `validation` when the tenant has no such variable. */
export function resolveReference(text: string, vars: Vars): string {
  const name = /^\$\{(\w+)\}$/.exec(text)?.[1];
  if (name === undefined) return text;
  const value = Object.hasOwn(vars, name) ? vars[name] : undefined;
  if (value === undefined)
    throw invalid(`oauth needs the variable ${name}, which JAMJET_WORKFLOW_ENV does not give to this tenant`);
  return value;
}
