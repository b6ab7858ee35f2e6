import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { GlobalEventLog } from '../../../store/port/resources/event-log.ts';
import { RuntimeError } from '../../runtime/errors.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Positions are padded to one length, so that a cursor's length reveals nothing. */
const POSITION_CHARS = 40;

/**
 * Encrypts positions in the log of all tenants as opaque cursors of one tenant: a plain position would reveal how much other tenants write.
 * Cursors stay valid as long as the database exists.
 */
export class Cursors {
  readonly #log: GlobalEventLog;
  #key: Promise<Uint8Array> | null = null;

  constructor(log: GlobalEventLog) {
    this.#log = log;
  }

  async seal(tenantId: string, position: string): Promise<string> {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, await this.#keyBytes(), nonce).setAAD(Buffer.from(tenantId));
    const sealed = Buffer.concat([cipher.update(position.padEnd(POSITION_CHARS), 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64url');
  }

  /** Rejects with `bad_request` for anything but a cursor of this tenant. */
  async open(tenantId: string, cursor: string): Promise<string> {
    const bytes = Buffer.from(cursor, 'base64url');
    const key = await this.#keyBytes();
    try {
      const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(tenantId)).setAuthTag(bytes.subarray(-TAG_BYTES));
      const sealed = bytes.subarray(NONCE_BYTES, -TAG_BYTES);
      return (decipher.update(sealed, undefined, 'utf8') + decipher.final('utf8')).trimEnd();
    } catch (cause) {
      throw new RuntimeError('bad_request', 'not a valid position in the event stream of this tenant', { cause });
    }
  }

  #keyBytes(): Promise<Uint8Array> {
    if (this.#key === null) {
      const key = this.#log.key();
      this.#key = key;
      // A failed read is repeated by the next call.
      key.catch(() => {
        this.#key = null;
      });
    }
    return this.#key;
  }
}
