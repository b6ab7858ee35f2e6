/** `${NAME}` in an address stands for a variable that the operator gives to the tenant. */
const VARIABLE = /\$\{([A-Za-z_]\w{0,255})\}/g;

/** The names of the variables in a text, each once. */
export function variablesIn(text: string): readonly string[] {
  return [...new Set([...text.matchAll(VARIABLE)].flatMap(([, name]) => name ?? []))];
}

/** The text with the values of its variables. `missing` is asked for those that are not given, and may throw. */
export function withVariables(
  text: string,
  variables: Readonly<Record<string, string>>,
  missing: (name: string) => string,
): string {
  return text.replace(VARIABLE, (_, name: string) => (Object.hasOwn(variables, name) ? (variables[name] ?? '') : missing(name)));
}

/** The text as a template that reads its variables from `env`. */
export function variablesAsTemplates(text: string): string {
  return text.replace(VARIABLE, '{{ env.$1 }}');
}
