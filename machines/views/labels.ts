import { durationText } from '../duration.ts';
import type { NodeOverlay } from './execution-overlay.ts';

/** `done · 1.2 s · 2 visits · 1 retry`. */
export function overlayText({ status, visits, retries, durationMs }: NodeOverlay): string {
  return [
    status,
    durationMs === null || durationMs === 0 ? '' : durationText(durationMs),
    visits > 1 ? `${visits} visits` : '',
    retries > 0 ? `${retries} ${retries === 1 ? 'retry' : 'retries'}` : '',
  ]
    .filter((part) => part !== '')
    .join(' · ');
}
