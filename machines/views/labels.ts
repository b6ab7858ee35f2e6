import { durationText } from '../duration.ts';
import { itemsText } from '../history/node-visit.ts';
import type { DiagramNode } from './diagram.ts';
import type { NodeOverlay } from './execution-overlay.ts';

/** `done · 1.2 s · 200 of 200, 2 failed · 2 visits · 1 retry`. */
function overlayText({ status, visits, retries, durationMs, items }: NodeOverlay): string {
  return [
    status,
    durationMs === null ? '' : durationText(durationMs),
    items === null ? '' : itemsText(items),
    visits > 1 ? `${visits} visits` : '',
    retries > 0 ? `${retries} ${retries === 1 ? 'retry' : 'retries'}` : '',
  ]
    .filter((part) => part !== '')
    .join(' · ');
}

/** The overlay of a node as text; '' without one, and if its name says it already. */
export function markOf({ name, overlay }: Pick<DiagramNode, 'name' | 'overlay'>): string {
  const text = overlay === null ? '' : overlayText(overlay);
  return text === name ? '' : text;
}
