import type { HistoryEvent } from '../../../machines/history/event.ts';
import { clock } from '../../views/time.ts';
import type { Paint } from '../terminal/paint.ts';
import { inline, pad, plain } from '../terminal/text.ts';

/** An event as one line. */
export function eventLine(
  { sequence, type, node_id, created_at, actor_id, on_behalf_of, data }: HistoryEvent,
  paint: Paint,
): string {
  const { dim, cyan } = paint;
  const fields = Object.entries(data)
    .filter(([name]) => name !== 'node_id')
    .map(([name, value]) => `${dim(`${plain(name)}=`)}${inline(value, 60)}`)
    .join(' ');
  const forWhom = on_behalf_of === undefined ? '' : `  ${plain(`by ${actor_id} on behalf of ${on_behalf_of}`)}`;
  const node = node_id === null ? '' : plain(node_id);
  return `${String(sequence).padStart(4)}  ${dim(clock(Date.parse(created_at)))}  ${pad(type, 24)}  ${cyan(pad(node, 16))}  ${fields}${forWhom}`.trimEnd();
}
