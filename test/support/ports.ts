import { once } from 'node:events';
import { createServer } from 'node:net';

/** The system gives away ports above these by itself, to whoever wants any: what is found free there may be taken a moment later. */
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** A port that nobody listens on, and that nobody gets who did not ask for it by its number: it may be let go and taken again. */
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
