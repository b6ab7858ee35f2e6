import { hash32 } from '../../../machines/hash.ts';

/**
 * The one of `ids` that a key belongs to: the same for everybody who knows the same ids, evenly spread, and when one id comes or goes
 * only its own keys move (highest random weight, Thaler & Ravishankar 1998). Null = there are none.
 */
export function rendezvousOwner(key: string, ids: Iterable<string>): string | null {
  let best: string | null = null;
  let most = -1;
  for (const id of ids) {
    const weight = hash32(`${id}\n${key}`);
    if (weight > most || (weight === most && best !== null && id > best)) [best, most] = [id, weight];
  }
  return best;
}
