import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { type ClientConfig, DatabaseError } from 'pg';
import { StoreError } from '../port/errors.ts';

/** The driver's encryption options for one connection; `ssl: false` = none. */
export type Encryption = Required<Pick<ClientConfig, 'ssl' | 'sslnegotiation'>>;

/** Parameters of libpq, interpreted here because the driver interprets some of them differently. */
const PARAMETERS = ['ssl', 'sslmode', 'sslnegotiation', 'sslrootcert', 'sslcert', 'sslkey', 'sslpassword'];
/** Attempts with or without TLS, in libpq's order. The other modes require TLS. */
const ORDERS: Readonly<Record<string, readonly boolean[]>> = { disable: [false], allow: [false, true], prefer: [true, false] };

/**
 * The TLS settings of a database URL, with libpq's meaning. Files are read again for each connection, so that certificates can be replaced; while one
 * cannot be read, the last ones are used.
 */
export class Tls {
  /** The URL without these parameters. */
  readonly url: string;
  readonly #parameters: URLSearchParams;
  readonly #mode: string;
  /** The order of attempts; true = with TLS. */
  readonly #order: readonly boolean[];
  /** Whether the last successful connection used TLS. */
  #encrypts: boolean;
  #last: ConnectionOptions | null = null;

  constructor(text: string) {
    const url = URL.canParse(text) ? new URL(text) : null;
    const given = PARAMETERS.filter((name) => url?.searchParams.has(name) ?? false);
    this.#parameters = new URLSearchParams(url?.searchParams);
    for (const name of given) url?.searchParams.delete(name);
    this.url = given.length === 0 ? text : (url?.href ?? text);
    const isSocket = /^(%2f|\/)/i.test(this.#parameters.get('host') ?? url?.hostname ?? '');
    this.#mode = isSocket ? 'disable' : (this.#parameters.get('sslmode') ?? (given.length > 0 ? 'require' : 'disable'));
    this.#order = ORDERS[this.#mode] ?? [true];
    this.#encrypts = this.#order[0] ?? true;
  }

  /** Throws `StoreError` when a file cannot be used. */
  encryption(encrypts = this.#encrypts): Encryption {
    if (!encrypts) return { ssl: false, sslnegotiation: 'postgres' };
    return { ssl: this.#options(), sslnegotiation: this.#parameters.get('sslnegotiation') === 'direct' ? 'direct' : 'postgres' };
  }

  /** Connects; when the server refuses the first attempt and the mode allows another, tries that. */
  async connect<T>(attempt: (encryption: Encryption) => Promise<T>): Promise<T> {
    const [first = true, other] = this.#order;
    try {
      return await this.#connect(first, attempt);
    } catch (error) {
      if (other === undefined || !isRefused(error)) throw error;
      return await this.#connect(other, attempt);
    }
  }

  async #connect<T>(encrypts: boolean, attempt: (encryption: Encryption) => Promise<T>): Promise<T> {
    const connected = await attempt(this.encryption(encrypts));
    this.#encrypts = encrypts;
    return connected;
  }

  #options(): ConnectionOptions {
    try {
      this.#last = optionsOf(this.#mode, this.#parameters);
      return this.#last;
    } catch (error) {
      if (this.#last === null) throw error;
      return this.#last;
    }
  }
}

function optionsOf(mode: string, parameters: URLSearchParams): ConnectionOptions {
  const root = parameters.get('sslrootcert');
  const authority = root === null || root === 'system' ? {} : { ca: certificate('sslrootcert', root).pem };
  // Naming an authority implies that the certificate is verified.
  const isVerified = mode === 'verify-full' || (root !== null && mode !== 'no-verify');
  return {
    ...authority,
    ...ownCertificate(parameters),
    rejectUnauthorized: isVerified,
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}

function ownCertificate(parameters: URLSearchParams): ConnectionOptions {
  const [certPath, keyPath] = [parameters.get('sslcert'), parameters.get('sslkey')];
  if (certPath === null || keyPath === null) return {};
  const passphrase = parameters.get('sslpassword');
  const { pem: cert, parsed } = certificate('sslcert', certPath);
  const { pem: key, parsed: privateKey } = keyOf(keyPath, passphrase);
  if (!parsed.checkPrivateKey(privateKey)) throw unusable(`sslkey ${keyPath} does not belong to sslcert ${certPath}`);
  return { cert, key, ...(passphrase === null ? {} : { passphrase }) };
}

function certificate(parameter: string, path: string): { readonly pem: string; readonly parsed: X509Certificate } {
  const pem = read(parameter, path);
  try {
    return { pem, parsed: new X509Certificate(pem) };
  } catch (cause) {
    throw unusable(`${parameter} ${path} holds no certificate in PEM`, cause);
  }
}

function keyOf(path: string, passphrase: string | null): { readonly pem: string; readonly parsed: KeyObject } {
  const pem = read('sslkey', path);
  try {
    return { pem, parsed: createPrivateKey({ key: pem, ...(passphrase === null ? {} : { passphrase }) }) };
  } catch (cause) {
    const isEncrypted = pem.includes('ENCRYPTED');
    const fits = passphrase === null ? 'there is no sslpassword' : 'sslpassword does not fit';
    throw unusable(`sslkey ${path} ${isEncrypted ? `is encrypted, and ${fits}` : 'holds no private key in PEM'}`, cause);
  }
}

function read(parameter: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'does not exist' : code === 'EACCES' ? 'may not be read' : `cannot be read (${code})`;
    throw unusable(`${parameter} ${path} ${reason}`, cause);
  }
}

function unusable(message: string, cause?: unknown): StoreError {
  return new StoreError('store_unavailable', message, cause === undefined ? {} : { cause });
}

/** Whether a server that was reached refused the connection. */
function isRefused(error: unknown): boolean {
  if (error instanceof DatabaseError) return /^28/.test(error.code ?? '');
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return /SSL/.test(error.message) || /^(ERR_(TLS|SSL|OSSL)_\w+|\w*(CERT|SIGNATURE|ISSUER)\w*)$/.test(code);
}
