import type { Runtime } from '../../types/runtime.ts';
import { type CommandContext, runCommand } from '../command.ts';
import { requestTexts } from '../storable-text.ts';
import type { Forker } from './forker.ts';

export function forkCommand(context: CommandContext, forker: Forker): Runtime['fork'] {
  return (caller, id, request) =>
    runCommand(context, caller, { work: 'adds', texts: requestTexts.fork(request) }, () => forker.fork(caller, id, request));
}
