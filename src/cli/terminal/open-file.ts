import { spawn } from 'node:child_process';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';

/** Programs that open a file, by platform; `xdg-open` elsewhere. */
const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
};

/** Opens a file in the user's default application, without waiting for it. */
export async function openFile(path: string, { env }: Pick<Context, 'env'>): Promise<void> {
  const [command, ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  const child = spawn(command, [...args, path], { env, stdio: 'ignore', detached: true });
  try {
    await new Promise<void>((spawned, failed) => {
      child.once('spawn', spawned);
      child.once('error', failed);
    });
    child.unref();
  } catch (cause) {
    throw new Failure(`cannot open the file: ${command} is not available`, { hint: `The diagram is in ${path}.`, cause });
  }
}
