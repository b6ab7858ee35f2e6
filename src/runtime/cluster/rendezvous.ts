import { hash32 } from '../../../machines/hash.ts';

/**
 * The id that a key belongs to: the same for all that know the same ids, evenly distributed, and when an id is added or removed
 * only its own keys move (highest random weight, Thaler & Ravishankar 1998). Null = there are no ids.
 */
export function rendezvousOwner(key: string, ids: Iterable<string>): string | null {
  let owner: string | null = null;
  let highest = -1;
  for (const id of ids) {
    const weight = hash32(`${id}\n${key}`);
    if (weight > highest || (weight === highest && owner !== null && id > owner)) [owner, highest] = [id, weight];
  }
  return owner;
}
