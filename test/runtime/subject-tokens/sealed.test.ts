import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { open, seal } from '../../../src/runtime/subject-tokens/sealed.ts';

const OWNER = { tenantId: 'acme', executionId: 'exec_1' };

describe('a sealed token', () => {
  it('opens with its key, for its execution', () => {
    const key = randomBytes(32);
    const sealed = seal('token-of-ann', key, OWNER);
    expect(sealed.includes('token-of-ann')).toBe(false);
    expect(open(sealed, key, OWNER)).toBe('token-of-ann');
  });

  it('is sealed differently each time', () => {
    const key = randomBytes(32);
    expect(seal('token', key, OWNER).equals(seal('token', key, OWNER))).toBe(false);
  });

  it('does not open with another key, for another execution or tenant, or when it is damaged', () => {
    const key = randomBytes(32);
    const sealed = seal('token', key, OWNER);
    expect(open(sealed, randomBytes(32), OWNER)).toBeNull();
    expect(open(sealed, key, { ...OWNER, executionId: 'exec_2' })).toBeNull();
    expect(open(sealed, key, { ...OWNER, tenantId: 'other' })).toBeNull();
    for (let at = 0; at < sealed.length; at += 1) {
      const damaged = Buffer.from(sealed);
      damaged.writeUInt8((damaged.readUInt8(at) + 1) % 256, at);
      expect(open(damaged, key, OWNER)).toBeNull();
      expect(open(sealed.subarray(0, at), key, OWNER)).toBeNull();
    }
  });
});
