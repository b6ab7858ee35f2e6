/**
 * The one of `ids` that a key belongs to: the same for everybody who knows the same ids, evenly spread, and when one id comes or goes
 * only its own keys move (highest random weight, Thaler & Ravishankar 1998). Null = there are none.
 */
export function rendezvousOwner(key: string, ids: Iterable<string>): string | null {
  let best: string | null = null;
  let most = -1;
  for (const id of ids) {
    const weight = hash(`${id}\n${key}`);
    if (weight > most || (weight === most && best !== null && id > best)) [best, most] = [id, weight];
  }
  return best;
}

/** FNV-1a, with the last mixing of MurmurHash3: texts that share their end must not be in one order for every end. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
