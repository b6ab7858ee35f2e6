import { isObject, type JsonObject } from '../../../machines/json.ts';

/** A `package.json` cannot be read, so nothing can be added to it. */
export class UnreadablePackage extends Error {}

export interface PackageNeeds {
  /** The `package.json` of a new project. */
  readonly template: JsonObject;
  /** The versions of this package that the project may have, such as `^0.2.0`; null = it is in the project. */
  readonly library: string | null;
}

const LIBRARY = 'jamjet-runtime';
/** What `npm init` writes for a project without tests. */
const NO_TESTS = /^echo "Error: no test specified"/;

/** The text of a new `package.json`. Its name has the characters that npm allows. */
export function newPackage(name: string, { template, library }: PackageNeeds): string {
  const content = { ...template, name: packageName(name), dependencies: dependencyOn(library) };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/**
 * Adds scripts and dependencies that are missing to the text of a `package.json`, and keeps everything else, also its indentation; `kept`
 * names the scripts that do something else. Throws `UnreadablePackage`.
 */
export function mergedPackage(
  text: string,
  { template, library }: PackageNeeds,
): { readonly text: string; readonly kept: readonly string[] } {
  const content = parsed(text);
  const known = { ...section(content, 'dependencies'), ...section(content, 'devDependencies') };
  const unknown = (wanted: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(wanted).filter(([name]) => !Object.hasOwn(known, name)));
  const scripts = section(content, 'scripts');
  const own = Object.fromEntries(Object.entries(scripts).filter(([, script]) => !NO_TESTS.test(String(script))));
  const wanted = section(template, 'scripts');
  const merged = {
    ...content,
    scripts: { ...own, ...Object.fromEntries(Object.entries(wanted).filter(([name]) => !Object.hasOwn(own, name))) },
    ...extended(content, 'dependencies', unknown(dependencyOn(library))),
    ...extended(content, 'devDependencies', unknown(section(template, 'devDependencies'))),
  };
  const indent = /^[ \t]+/m.exec(text)?.[0] ?? 2;
  return {
    text: `${JSON.stringify(merged, null, indent)}\n`,
    kept: Object.keys(wanted).filter((name) => Object.hasOwn(own, name) && own[name] !== wanted[name]),
  };
}

function dependencyOn(library: string | null): JsonObject {
  return library === null ? {} : { [LIBRARY]: library };
}

function parsed(text: string): JsonObject {
  let content: unknown;
  try {
    // npm accepts a byte order mark too.
    content = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new UnreadablePackage(`package.json is not valid JSON: ${(error as Error).message}`);
  }
  if (!isObject(content as JsonObject)) throw new UnreadablePackage('package.json is not an object');
  return content as JsonObject;
}

function section(content: JsonObject, key: string): JsonObject {
  const value = content[key] ?? {};
  if (!isObject(value)) throw new UnreadablePackage(`package.json: ${key} is not an object`);
  return value;
}

/** The section with what is added, in npm's order; nothing if nothing is. */
function extended(content: JsonObject, key: string, added: JsonObject): JsonObject {
  if (Object.keys(added).length === 0) return {};
  const all = Object.entries({ ...section(content, key), ...added });
  return { [key]: Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** @see https://docs.npmjs.com/cli/configuring-npm/package-json#name */
function packageName(name: string): string {
  const allowed = name
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replaceAll(/^[-._]+|-+$/g, '');
  return allowed === '' || allowed === LIBRARY ? 'agent' : allowed;
}
