import { describe, expect, it } from 'vitest';
import { hashToken, isRole, mintToken } from '../../src/server/tokens.ts';

const grant = { tenantId: 'default', role: 'developer', nowMs: 1_000, expiresAtMs: null } as const;

describe('a new token', () => {
  it('is jj_ and 64 hex digits, of which only the hash is stored', () => {
    const { plaintext, row } = mintToken(grant);
    expect(plaintext).toMatch(/^jj_[0-9a-f]{64}$/);
    expect(row.hash).toBe(hashToken(plaintext));
    expect(JSON.stringify(row)).not.toContain(plaintext.slice(3));
  });

  it('is different every time', () => {
    expect(new Set(Array.from({ length: 100 }, () => mintToken(grant).plaintext)).size).toBe(100);
  });

  it('is named after its role unless it gets a name', () => {
    expect(mintToken(grant).row.name).toMatch(/^developer-[0-9a-f]{8}$/);
    expect(mintToken({ ...grant, name: 'ci' }).row.name).toBe('ci');
  });
});

describe('a token hash', () => {
  it('is the SHA-256 of the whole token in hex', () => {
    expect(hashToken('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});

describe('a role', () => {
  it('is one of four', () => {
    expect(['operator', 'developer', 'reviewer', 'viewer', 'worker', 'root', ''].filter(isRole)).toHaveLength(5);
  });
});
