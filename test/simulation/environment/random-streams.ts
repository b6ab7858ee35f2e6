import { hash32 } from '../../../machines/hash.ts';
import { Random } from '../../support/random.ts';

/** A stream of random numbers of its own for each name: what one part of a simulation draws changes nothing for the others. */
export function randomStream(seed: number, ...names: readonly (string | number)[]): Random {
  return new Random(hash32(`${seed}\n${names.join('\n')}`));
}

/** A buffer of bytes from a stream. */
export function randomBytes(random: Random): (size: number) => Buffer {
  return (size) => {
    const bytes = Buffer.alloc(size);
    for (let i = 0; i + 4 <= size; i += 4) bytes.writeUInt32LE(random.between(0, 0xffff_ffff), i);
    return bytes;
  };
}
