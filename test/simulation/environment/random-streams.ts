import { Random } from '../../support/random.ts';

/** A stream of random numbers of its own for each name: what one part of a simulation draws changes nothing for the others. */
export function randomStream(seed: number, ...names: readonly (string | number)[]): Random {
  return new Random(hash(`${seed}\n${names.join('\n')}`));
}

/** FNV-1a with the finalizer of MurmurHash3. */
export function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A buffer of bytes from a stream. */
export function randomBytes(random: Random): (size: number) => Buffer {
  return (size) => {
    const bytes = Buffer.alloc(size);
    for (let i = 0; i + 4 <= size; i += 4) bytes.writeUInt32LE(random.between(0, 0xffff_ffff), i);
    return bytes;
  };
}
