import { existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shortened } from '../../machines/shortened.ts';
import { isOwnFile } from './own-package.ts';

/** A place in a file of a project. */
interface Place {
  readonly file: string;
  /** 1-based; null = the file as a whole. */
  readonly line: number | null;
  readonly column: number | null;
}

/** A module of a project cannot be loaded. The message is one line that begins with the place: `tools.ts:3:7: Unexpected token`. */
export class ModuleError extends Error {
  readonly code = 'bad_module';
  readonly place: Place;
  /** Files whose creation may solve it: what an import names and is not there. */
  readonly missing: readonly string[];

  constructor(
    message: string,
    place: Place,
    options: { readonly cwd: string; readonly missing?: readonly string[]; readonly cause?: unknown },
  ) {
    super(`${placeText(place, options.cwd)}: ${message}`, { cause: options.cause });
    this.name = 'ModuleError';
    this.place = place;
    this.missing = options.missing ?? [];
  }
}

function placeText({ file, line, column }: Place, cwd: string): string {
  return [shown(file, cwd), line, column].filter((part) => part !== null).join(':');
}

/** The path from `cwd` if the file is below it. */
function shown(file: string, cwd: string): string {
  const path = relative(cwd, file);
  return path === '' || path.startsWith('..') || isAbsolute(path) ? file : path;
}

/** What was thrown while the module `entry` was loaded, with the place in the project's own files. */
export function moduleError(thrown: unknown, entry: string, cwd: string): ModuleError {
  const error = thrown instanceof Error ? thrown : null;
  const message = error?.message ?? String(thrown);
  const whole = { file: entry, line: null, column: null };
  if (error === null) return new ModuleError(`the module threw ${shortened(message, 200)}`, whole, { cwd, cause: thrown });
  return (
    syntaxError(error, cwd) ??
    missingModule(error, entry, cwd) ??
    new ModuleError(named(error), placeIn(error) ?? whole, { cwd, cause: thrown })
  );
}

/** A syntax error names its place in the message (of jiti) or in the first line of the stack (of Node). */
function syntaxError(error: Error, cwd: string): ModuleError | null {
  const [, text, path, line, column] = /^(?:ParseError|SyntaxError): (.+?)\s*\n\s*(.+?):(\d+):(\d+)/s.exec(error.message) ?? [];
  if (text !== undefined && path !== undefined)
    return new ModuleError(
      oneLine(text),
      { file: pathOf(path), line: Number(line), column: Number(column) + 1 },
      { cwd, cause: error },
    );
  const [, url, at] = /^(file:\/\/\S+|\/\S+):(\d+)\n/.exec(error.stack ?? '') ?? [];
  if (!(error instanceof SyntaxError) || url === undefined) return null;
  return new ModuleError(oneLine(error.message), { file: pathOf(url), line: Number(at), column: null }, { cwd, cause: error });
}

/** What an import may leave out. */
const ENDINGS = ['.ts', '.mts', '.js', '.mjs', '/index.ts', '/index.js'];

function missingModule(error: Error, entry: string, cwd: string): ModuleError | null {
  const code = 'code' in error ? error.code : null;
  if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND') return null;
  const [first = ''] = error.message.split('\n');
  const [, name = ''] = /Cannot find (?:module|package) '([^']+)'/.exec(first) ?? [];
  const importer = importerOf(error, first) ?? entry;
  const isPath = /^\.{0,2}\//.test(name) || isAbsolute(name);
  const path = isAbsolute(name) ? name : resolve(dirname(importer), name);
  // Node gives the whole path of a missing file; the import says something shorter.
  const written = isAbsolute(name) ? relative(dirname(importer), name) : name;
  const endings = /\.[a-z]+$/i.test(path) ? [] : ENDINGS;
  const missing = isPath ? [path, ...endings.map((ending) => `${path}${ending}`)] : [];
  const source = path.replace(/\.([mc]?)js$/, '.$1ts');
  const advice = isPath ? '' : `: install it with \`npm install ${packageOf(name)}\``;
  const place = { file: importer, line: lineOfImport(importer, written), column: null };
  return new ModuleError(
    `cannot find ${isPath ? 'module' : 'package'} ${isAbsolute(name) ? shown(name, cwd) : name}${advice}`,
    place,
    {
      cwd,
      missing: [...missing, ...(source === path ? [] : [source])],
      cause: error,
    },
  );
}

function importerOf(error: Error, firstLine: string): string | null {
  const [, from] = / imported from (.+?)$/.exec(firstLine) ?? [];
  if (from !== undefined) return pathOf(from.replace(/^'|'$/g, ''));
  const stack = 'requireStack' in error && Array.isArray(error.requireStack) ? (error.requireStack as readonly unknown[]) : [];
  return typeof stack[0] === 'string' ? stack[0] : null;
}

function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}

function lineOfImport(file: string, name: string): number | null {
  if (!existsSync(file)) return null;
  const lines = readFileSync(file, 'utf8').split('\n');
  const at = lines.findIndex((line) =>
    [name, `./${name}`].some((text) => line.includes(`'${text}'`) || line.includes(`"${text}"`)),
  );
  return at === -1 ? null : at + 1;
}

/** The topmost frame of the project's own files: no packages, nothing of Node. */
function placeIn(error: Error): Place | null {
  for (const frame of (error.stack ?? '').split('\n')) {
    const [, at, line] = /^\s+at (?:.*\()?((?:file:\/\/|\/|[A-Za-z]:\\)[^()]*):(\d+):\d+\)?$/.exec(frame) ?? [];
    if (at === undefined || /[\\/]node_modules[\\/]/.test(at) || isOwnFile(pathOf(at))) continue;
    return { file: pathOf(at), line: Number(line), column: null };
  }
  return null;
}

function pathOf(urlOrPath: string): string {
  const text = urlOrPath.replace(/\?[^/]*$/, '');
  return text.startsWith('file:') ? fileURLToPath(text) : text;
}

function named({ name, message }: Error): string {
  return oneLine(name === 'Error' || message.startsWith(name) ? message : `${name}: ${message}`);
}

function oneLine(text: string): string {
  return text.split('\n', 1)[0]?.trim() ?? '';
}
