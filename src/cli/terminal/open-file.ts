import { spawn } from 'node:child_process';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';

/** What shows a file to the user, by platform. */
const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
};

/** Shows a file in whatever the user shows such files in, and does not wait for it. */
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
    throw new Failure(`there is no ${command} here to open files with`, { hint: `The picture is in ${path}.`, cause });
  }
}
