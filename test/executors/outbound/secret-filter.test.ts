import { describe, expect, it } from 'vitest';
import { Outbound } from '../../../src/executors/outbound/index.ts';
import { SecretFilter } from '../../../src/executors/outbound/secret-filter.ts';
import { PATIENCE_MS } from '../../support/patience.ts';
import { webServer } from '../web-server.ts';

const SECRETS = ['secret-token-1', 'Bearer secret-token-1', 'schlüssel-zwei'];

function filtered(secrets: readonly string[], bytes: Buffer, size: number): string {
  const filter = new SecretFilter(secrets);
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) parts.push(filter.take(bytes.subarray(at, at + size)));
  return Buffer.concat([...parts, filter.end()]).toString();
}

describe('SecretFilter', () => {
  it('takes secrets out of parts of any size', () => {
    const text = 'é secret-token-1 Bearer secret-token-1. secret-secret-token-1, schlüssel-zwei secret-tok';
    const expected = 'é [key] [key]. secret-[key], [key] secret-tok';
    const bytes = Buffer.from(text);
    for (let size = 1; size <= bytes.length; size += 1) {
      expect(filtered(SECRETS, bytes, size)).toBe(expected);
    }
  });

  it('passes on every byte of a text without secrets, and leaves short ones alone', () => {
    const bytes = Buffer.from([...Array(512).keys()].map((byte) => byte % 256));
    const filter = new SecretFilter([...SECRETS, '0123']);
    expect(Buffer.concat([filter.take(bytes), filter.end()])).toEqual(bytes);
    expect(filtered(['short'], Buffer.from('short'), 2)).toBe('short');
  });
});

describe('Outbound', () => {
  it('takes the secrets of a request out of its response, and of errors with its text', async () => {
    const { url } = await webServer((request, response) => {
      response.statusCode = request.url === '/refuses' ? 401 : 200;
      response.write(`you sent ${String(request.headers.authorization).slice(0, 14)}`);
      response.end(String(request.headers.authorization).slice(14));
    });
    const outbound = new Outbound({ allowPrivateAddresses: true });
    const request = {
      url,
      method: 'POST',
      headers: { authorization: 'Bearer secret-token-1' },
      body: null,
      signal: AbortSignal.timeout(PATIENCE_MS),
      secrets: ['secret-token-1'],
    };
    expect((await outbound.request(request)).text).toBe('you sent Bearer [key]');
    const { body } = await outbound.open(request);
    const parts: Buffer[] = [];
    for await (const part of body) parts.push(part as Buffer);
    expect(Buffer.concat(parts).toString()).toBe('you sent Bearer [key]');
    await expect(outbound.request({ ...request, url: `${url}/refuses` })).rejects.toThrow(/401: you sent Bearer \[key\]$/);
  });
});
