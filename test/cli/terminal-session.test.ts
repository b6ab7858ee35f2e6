import { expect, it } from 'vitest';
import { webServer } from '../executors/web-server.ts';
import { TerminalSession } from './terminal-session.ts';

it('a wait for a text that never comes ends with what the terminal shows', async () => {
  const { url } = await webServer(() => {});
  const session = new TerminalSession(['ls', '--runtime', url]);
  await expect(session.shows('never', 1)).rejects.toThrow('does not show never');
});
