import { PassThrough, Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { webBody } from '../../../src/executors/outbound/web-body.ts';

describe('webBody', () => {
  it('passes on every chunk and ends with the body', async () => {
    expect(await new Response(webBody(Readable.from([Buffer.from('one '), Buffer.from('two')]))).text()).toBe('one two');
  });

  it('fails with the error of the body', async () => {
    const body = new PassThrough();
    const reader = webBody(body).getReader();
    body.destroy(new Error('cut off'));
    await expect(reader.read()).rejects.toThrow('cut off');
  });

  it('destroys the body and passes nothing on when its reader cancels while chunks come', async () => {
    for (let reads = 0; reads < 6; reads += 1) {
      const body = new Readable({
        read() {
          this.push(Buffer.alloc(1024));
        },
      });
      const reader = webBody(body).getReader();
      for (let read = 0; read < reads; read += 1) await reader.read();
      const pending = reader.read();
      await reader.cancel();
      await pending;
      expect(body.destroyed).toBe(true);
      expect(await reader.read()).toEqual({ done: true, value: undefined });
    }
  });

  it('destroys a body that its reader cancels while it waits for a chunk', async () => {
    const body = new PassThrough();
    const reader = webBody(body).getReader();
    const pending = reader.read();
    await reader.cancel();
    expect(await pending).toEqual({ done: true, value: undefined });
    expect(body.destroyed).toBe(true);
  });
});
