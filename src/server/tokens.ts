import { hash, randomBytes, randomUUID } from 'node:crypto';
import type { TokenRow } from '../../store/port/control.ts';

/** From the most to the least powerful. Their rights are in `api/auth/identity.ts`. */
export const ROLES = ['operator', 'developer', 'reviewer', 'viewer', 'worker'] as const;
export type Role = (typeof ROLES)[number];

export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text);
}

/** The stored form of a token. The plaintext has 256 random bits, so the hash needs neither salt nor stretching. */
export function hashToken(plaintext: string): string {
  return hash('sha256', plaintext, 'hex');
}

/** A new code of a sign-in link: 128 random bits as 32 hex digits. Stored as `hashToken` of it. */
export function mintSignInCode(): string {
  return randomBytes(16).toString('hex');
}

export function isSignInCode(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

export interface Grant {
  readonly tenantId: string;
  readonly role: Role;
  /** The actor in events and approvals. Absent = the role and the start of the token's id. */
  readonly name?: string;
  readonly nowMs: number;
  /** Null = does not expire. */
  readonly expiresAtMs: number | null;
  /** Default null. */
  readonly parentId?: string | null;
  /** The only queues whose work a token of role `worker` may do. Absent = all. */
  readonly queues?: readonly string[];
}

/** Creates a token: the row to store and the plaintext (`jj_` + 64 hex digits), which is shown once and not stored. */
export function mintToken(grant: Grant): { readonly plaintext: string; readonly row: TokenRow } {
  const plaintext = `jj_${randomBytes(32).toString('hex')}`;
  const id = randomUUID();
  return {
    plaintext,
    row: {
      id,
      tenantId: grant.tenantId,
      name: grant.name ?? `${grant.role}-${id.slice(0, 8)}`,
      role: grant.role,
      hash: hashToken(plaintext),
      createdAtMs: grant.nowMs,
      expiresAtMs: grant.expiresAtMs,
      revokedAtMs: null,
      parentId: grant.parentId ?? null,
      queues: grant.queues === undefined ? null : JSON.stringify(grant.queues),
    },
  };
}
