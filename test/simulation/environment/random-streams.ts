import { hash32 } from '../../../machines/hash.ts';
import { Random } from '../../support/random.ts';

/** A separate random stream for each name, so that the draws of one part do not change those of others. */
export function randomStream(seed: number, ...names: readonly (string | number)[]): Random {
  return new Random(hash32(`${seed}\n${names.join('\n')}`));
}

/** Returns a function that fills buffers from a stream. */
export function randomBytes(random: Random): (size: number) => Buffer {
  return (size) => {
    const bytes = Buffer.alloc(size);
    for (let i = 0; i + 4 <= size; i += 4) bytes.writeUInt32LE(random.between(0, 0xffff_ffff), i);
    return bytes;
  };
}

/** A UUID that is the same in each run of the seed. */
export function uuidOf(seed: number, name: string): string {
  const hex = randomBytes(randomStream(seed, 'uuid', name))(16).toString('hex');
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5');
}
