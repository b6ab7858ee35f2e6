import { describe, expect, it } from 'vitest';
import { browserBundle } from '../support/browser-bundle.ts';

describe('the client in a browser', () => {
  it('has no module and no global of Node', async () => {
    const { builtins, code, gzipBytes } = await browserBundle('src/client/index.ts');
    expect(builtins).toEqual([]);
    expect(code).toContain('text/event-stream');
    expect(code).not.toMatch(/\bprocess\.|\bBuffer\b|\brequire\(|\bsetImmediate\b/);
    expect(gzipBytes).toBeLessThan(12 * 1024);
  });
});
