import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the range from which the system assigns ephemeral ports: a free port above may be taken a moment later. */
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** Returns a free port outside the ephemeral range, so that a server may release it and listen on it again. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer().listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
  } catch {
    return false;
  }
  probe.close();
  await once(probe, 'close');
  return true;
}
