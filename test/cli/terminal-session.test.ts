import { expect, it } from 'vitest';
import { TerminalSession } from './terminal-session.ts';

it('a wait for a text that never comes ends with what the terminal shows', async () => {
  const session = new TerminalSession(['validate', '-']);
  await expect(session.shows('never', 1)).rejects.toThrow('does not show never');
});
