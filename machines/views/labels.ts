import { durationText } from '../duration.ts';
import type { Kind } from '../nodes/index.ts';
import { definitionOf } from '../nodes/index.ts';
import type { NodeOverlay } from './execution-overlay.ts';

/** What a node calls, waits for or asks, in a few words. */
export function detailOf(kind: Kind): string {
  switch (kind.type) {
    case 'http':
      return `${kind.method} ${kind.url}`;
    case 'human_approval':
      return kind.timeout_secs === undefined ? 'approval' : `approval, ${durationText(kind.timeout_secs * 1_000)}`;
    case 'wait':
      return waitText(kind);
    case 'subgraph':
      return `runs ${kind.workflow_ref}`;
    case 'join':
      return kind.merge_strategy.type === 'collect'
        ? 'waits for all'
        : kind.merge_strategy.type === 'first'
          ? 'first wins'
          : 'merge';
    case 'condition':
    case 'parallel':
    case 'limit_exceeded':
      return '';
    default:
      return definitionOf(kind).policyNames(kind)[0] ?? '';
  }
}

function waitText(kind: Extract<Kind, { type: 'wait' }>): string {
  const limit = kind.timeout_secs === undefined ? '' : durationText(kind.timeout_secs * 1_000);
  if (kind.condition === 'timer') return `waits ${limit}`;
  return `event ${kind.correlation_key}${limit === '' ? '' : `, ${limit}`}`;
}

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
