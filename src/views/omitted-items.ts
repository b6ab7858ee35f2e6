import { pathOf } from '../../machines/appended-lists.ts';
import type { NodeAttempt } from '../../machines/history/node-visit.ts';

/** Says of each list in the attempt's state patch, if it is shown without the items that the state had before, how many those are. */
export function omittedItems({ appended = {} }: NodeAttempt): readonly string[] {
  return Object.entries(appended).map(
    ([pointer, { kept }]) => `${pathOf(pointer).join('.')}: ${kept} earlier ${kept === 1 ? 'item is' : 'items are'} not repeated`,
  );
}
