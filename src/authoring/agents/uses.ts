import { didYouMean } from '../../../machines/suggest.ts';
import type { Findings } from '../diagnostic.ts';
import { type MapReader, readItem } from '../map-reader.ts';

/** An entry of `uses`: a tool, an MCP server, or another unit of the file. */
export interface Use {
  readonly type: 'tool' | 'mcp' | 'agent' | 'workflow';
  readonly name: string;
  readonly offset: number;
}

/** What the units of a file can use. */
export interface Catalogs {
  readonly tools: MapReader | null;
  readonly servers: MapReader | null;
  readonly units: ReadonlySet<string>;
}

const WANTED = 'tool:NAME, mcp:NAME, agent:NAME or workflow:NAME';
const TYPES: readonly Use['type'][] = ['tool', 'mcp', 'agent', 'workflow'];

/** Reads `uses`. An entry that names nothing of the file is an error and left out. */
export function resolveUses(reader: MapReader, catalogs: Catalogs): readonly Use[] {
  const known: Readonly<Record<Use['type'], readonly string[]>> = {
    tool: keysOf(catalogs.tools),
    mcp: keysOf(catalogs.servers),
    agent: [...catalogs.units],
    workflow: [...catalogs.units],
  };
  return (reader.list('uses')?.value ?? []).flatMap((item, i): Use[] => {
    const read = readItem(item, `"uses" ${i + 1} of ${reader.name}`, reader, WANTED);
    if (read === null) return [];
    const [word = '', name = ''] = 'value' in read ? splitOnce(read.value) : [];
    const type = TYPES.find((candidate) => candidate === word);
    if (type === undefined || name === '') {
      const given = 'value' in read ? `"${read.value}"` : 'a map';
      reader.error('unknown_use', `${reader.name} uses ${given}, which is not ${WANTED}`, read.offset);
      return [];
    }
    if (known[type].includes(name)) return [{ type, name, offset: read.offset }];
    const where = { tool: 'the tools', mcp: 'mcp.servers', agent: 'the units', workflow: 'the units' }[type];
    const hint = didYouMean(name, known[type]);
    reader.error(
      'unknown_use',
      `${reader.name} uses "${word}:${name}", which ${where} of the file do not have`,
      read.offset,
      hint,
    );
    return [];
  });
}

/** Units must not use each other in a circle. */
export function refuseCircularUses(
  agents: readonly { readonly id: string; readonly uses: readonly Use[] }[],
  findings: Findings,
): void {
  const usesOf = new Map(agents.map(({ id, uses }) => [id, uses.filter(({ type }) => type === 'agent' || type === 'workflow')]));
  const done = new Set<string>();
  const visit = (id: string, path: readonly string[]): void => {
    if (done.has(id)) return;
    for (const { name, offset } of usesOf.get(id) ?? []) {
      const at = [...path, id].indexOf(name);
      if (at < 0) visit(name, [...path, id]);
      else
        findings.error(
          'circular_uses',
          `units use each other in a circle: ${[...path, id].slice(at).concat(name).join(' → ')}`,
          offset,
        );
    }
    done.add(id);
  };
  for (const { id } of agents) visit(id, []);
}

function keysOf(map: MapReader | null): readonly string[] {
  return (map?.fields ?? []).map(({ key }) => key);
}

function splitOnce(text: string): readonly [string, string] {
  const at = text.indexOf(':');
  return at < 0 ? [text, ''] : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}
