import type { FoundInMemory, MemoryNamespaces } from '../../client/index.ts';
import { ago } from '../../views/time.ts';
import type { Paint } from '../terminal/paint.ts';
import { table } from '../terminal/table.ts';
import { cut, plain } from '../terminal/text.ts';

const COLUMNS = [
  { title: 'NAMESPACE' },
  { title: 'ITEMS', align: 'right' },
  { title: 'KB', align: 'right' },
  { title: 'CREATED', align: 'right' },
] as const;
const MAX_TEXT = 300;

export function namespaceTable(namespaces: MemoryNamespaces['namespaces'], nowMs: number, paint: Paint): string {
  const rows = namespaces.map(({ name, items, bytes, created_at }) => [
    plain(name),
    String(items),
    String(Math.ceil(bytes / 1024)),
    ago(Date.parse(created_at), nowMs),
  ]);
  return table(COLUMNS, rows, paint);
}

/** Each with its score or age, and the beginning of its text. */
export function memoryItems(items: FoundInMemory['results'], nowMs: number, paint: Paint): string {
  return items
    .map(({ id, text, score, metadata, updated_at }) => {
      const value = score === null ? (updated_at === undefined ? '' : ago(Date.parse(updated_at), nowMs)) : score.toFixed(2);
      const facts = Object.keys(metadata).length === 0 ? '' : `  ${paint.dim(cut(plain(JSON.stringify(metadata)), 80))}`;
      return `${paint.bold(plain(id))}  ${value}${facts}\n  ${cut(plain(text.replace(/\s+/g, ' ')), MAX_TEXT)}`;
    })
    .join('\n');
}
