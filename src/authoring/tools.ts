import { dirname, resolve } from 'node:path';
import type { Json } from '../../machines/json.ts';
import { isBelow } from './is-below.ts';
import { MapReader } from './map-reader.ts';
import { isMap } from './tree.ts';

/** A function of a module that the workflow file names. It is not part of the document, because registered workflows name no files. */
export interface LocalTool {
  /** Absolute path of a JavaScript module, below the folder of the file. */
  readonly module: string;
  /** Name of the exported function. */
  readonly export: string;
}

export interface Tools {
  /** The document's `tools`. */
  readonly catalog: Record<string, Json>;
  readonly local: Readonly<Record<string, LocalTool>>;
}

/**
 * Reads the tool catalog. An entry with `kind: function` is a function of a local module. An entry without a kind that is `described` only tells
 * a model of a tool, and is left out.
 */
export function readTools(tools: MapReader | null, described: ReadonlySet<string> = new Set()): Tools {
  const catalog: Record<string, Json> = {};
  const local: Record<string, LocalTool> = {};
  for (const { key, value, keyOffset } of tools?.fields ?? []) {
    if (tools === null) break;
    if (!isMap(value)) {
      tools.error('wrong_type', `tool "${key}" must be a map of kind and reference`, keyOffset);
      continue;
    }
    const tool = new MapReader(value, keyOffset, `tool "${key}"`, tools.source);
    const kind = tool.text('kind')?.value;
    if (kind === undefined && described.has(key)) continue;
    if (kind !== 'function') {
      catalog[key] = readCatalogEntry(tool);
      continue;
    }
    const found = readLocalTool(key, tool);
    if (found !== null) local[key] = found;
  }
  return { catalog, local };
}

function readCatalogEntry(tool: MapReader): Json {
  const reference = tool.text('reference', 'ref');
  const others = tool.fields
    .filter(({ key }) => key !== 'ref')
    .flatMap(({ key }) => [[key, tool.json(key)?.value ?? null] as const]);
  return { ...Object.fromEntries(others), ...(reference === null ? {} : { reference: reference.value }) };
}

function readLocalTool(name: string, tool: MapReader): LocalTool | null {
  const reference = tool.text('reference', 'ref');
  for (const key of ['description', 'input_schema', 'output_schema', 'permissions']) tool.find(key);
  tool.warnAboutUnread();
  if (reference === null) {
    tool.error(
      'missing_key',
      `${tool.name} has no reference to a function`,
      tool.offset,
      `write "reference: ./tools.mjs#${name}"`,
    );
    return null;
  }
  const [, path = '', exported = name] = /^([^#]+)(?:#(.+))?$/.exec(reference.value.trim()) ?? [];
  if (!/^(\.{0,2}\/|[A-Za-z]:[\\/])/.test(path) || !/\.(m?js|cjs|mts|ts)$/.test(path)) {
    tool.error(
      'bad_reference',
      `${tool.name}: "${reference.value}" is not the path of a JavaScript module`,
      reference.offset,
      `write "reference: ./tools.mjs#${name}"`,
    );
    return null;
  }
  const folder = dirname(tool.source.file);
  if (!isBelow(folder, path)) {
    tool.error(
      'bad_reference',
      `${tool.name}: ${path} is outside of the folder of the workflow, ${resolve(folder)}`,
      reference.offset,
      'move the module into that folder; it may import others from elsewhere',
    );
    return null;
  }
  return { module: resolve(folder, path), export: exported };
}
