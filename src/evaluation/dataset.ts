import { extname } from 'node:path';
import { isObject, type Json, type JsonObject } from '../../machines/json.ts';
import { csvRecords } from './csv.ts';

/** A row of a data set. */
export interface EvalRow {
  readonly id: string;
  readonly input: Json;
  /** What the output should be like; undefined = not said. */
  readonly expected?: Json;
  readonly metadata?: JsonObject;
  /** What the tool calls should be like: see `trajectoryScore`. */
  readonly expectedTrajectory?: JsonObject;
}

/** A data set that cannot be read. */
export class BadDataset extends Error {}

const COLUMNS = ['id', 'input', 'expected', 'metadata', 'expected_trajectory'];

/**
 * Reads a data set by the extension of its file: `.csv`, `.json` or `.yaml` (a list), anything else JSON Lines, where blank lines and lines that
 * begin with # are skipped. Throws `BadDataset`, which names the line or the row.
 */
export async function readDataset(text: string, path: string): Promise<readonly EvalRow[]> {
  const rows = await rawRows(text.replace(/^\uFEFF/, ''), extname(path).toLowerCase());
  if (rows.length === 0) throw new BadDataset('it has no rows');
  const read = rows.map(({ raw, at }, i) => rowOf(raw, at, i));
  const seen = new Set<string>();
  for (const { id } of read) {
    if (seen.has(id)) throw new BadDataset(`two rows have the id "${id}"`);
    seen.add(id);
  }
  return read;
}

interface RawRow {
  readonly raw: Json;
  /** `line 3`, `row 2`. */
  readonly at: string;
}

async function rawRows(text: string, extension: string): Promise<readonly RawRow[]> {
  switch (extension) {
    case '.csv':
      return csvRows(text);
    case '.json':
      return listRows(parsedJson(text, null));
    case '.yaml':
    case '.yml': {
      const { parse } = await import('yaml');
      try {
        return listRows(parse(text) as Json);
      } catch (error) {
        throw error instanceof BadDataset ? error : new BadDataset(`it is not YAML: ${messageOf(error).split('\n')[0]}`);
      }
    }
    default:
      return text.split(/\r?\n/).flatMap((line, i) => {
        const content = line.trim();
        return content === '' || content.startsWith('#') ? [] : [{ raw: parsedJson(content, i + 1), at: `line ${i + 1}` }];
      });
  }
}

function listRows(list: Json): readonly RawRow[] {
  if (!Array.isArray(list)) throw new BadDataset('it must be a list of rows');
  return (list as readonly Json[]).map((raw, i) => ({ raw, at: `row ${i + 1}` }));
}

/** A column `input` has the input as JSON; without one, the columns that are not known otherwise are its keys. */
function csvRows(text: string): readonly RawRow[] {
  const [header, ...records] = csvRecords(text, (problem, line) => new BadDataset(`line ${line}: ${problem}`));
  if (header === undefined) return [];
  const names = header.fields.map((name) => name.trim());
  if (new Set(names).size < names.length) throw new BadDataset('line 1: two columns have the same name');
  return records.map(({ fields, line }) => {
    const at = `line ${line}`;
    if (fields.length !== names.length)
      throw new BadDataset(`${at}: it has ${fields.length} fields, and the header has ${names.length}`);
    const cells = Object.fromEntries(names.map((name, i) => [name, fields[i] ?? '']));
    const raw: Record<string, Json> = {};
    for (const name of COLUMNS) if (cells[name] !== undefined && cells[name] !== '') raw[name] = jsonOrText(cells[name]);
    if (!names.includes('input')) {
      const own = names.filter((name) => !COLUMNS.includes(name));
      raw.input = Object.fromEntries(own.map((name) => [name, jsonOrText(cells[name] ?? '')]));
    }
    return { raw, at };
  });
}

/** Objects, lists, numbers, true, false and null are read as JSON; anything else is text. */
function jsonOrText(cell: string): Json {
  if (!/^\s*(?:[[{]|-?\d|true\s*$|false\s*$|null\s*$)/.test(cell)) return cell;
  try {
    return JSON.parse(cell) as Json;
  } catch {
    return cell;
  }
}

function rowOf(raw: Json, at: string, index: number): EvalRow {
  if (!isObject(raw)) throw new BadDataset(`${at} must be an object {input, expected?, id?}`);
  if (raw.input === undefined) throw new BadDataset(`${at} has no "input"`);
  const { id = `row_${index}`, input, expected, metadata, expected_trajectory: trajectory } = raw;
  if (typeof id !== 'string' && typeof id !== 'number') throw new BadDataset(`${at}: "id" must be text or a number`);
  if (trajectory !== undefined && !isObject(trajectory)) throw new BadDataset(`${at}: "expected_trajectory" must be an object`);
  return {
    id: String(id),
    input,
    ...(expected === undefined ? {} : { expected }),
    ...(isObject(metadata) ? { metadata } : {}),
    ...(trajectory === undefined ? {} : { expectedTrajectory: trajectory }),
  };
}

function parsedJson(text: string, line: number | null): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new BadDataset(`${line === null ? 'it' : `line ${line}`} is not JSON: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
