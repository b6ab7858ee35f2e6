/**
 * A 32-bit hash of a text: FNV-1a with the finalizer of MurmurHash3, which also spreads texts that differ only at their end. Not
 * cryptographic. Jitter and the ownership of work depend on it, on every runtime alike: it must never change.
 * @see http://www.isthe.com/chongo/tech/comp/fnv/
 */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
