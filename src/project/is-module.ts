/** Is it a module, by its name, and not a file in YAML or JSON? */
export function isModule(path: string): boolean {
  return /\.[cm]?[jt]s$/.test(path);
}
