import { type ChildProcess, spawn } from 'node:child_process';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';

/** Programs that open a file or a URL, by platform; `xdg-open` elsewhere. */
const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
};

/** Some openers end when the browser does: one that runs for longer has not failed. */
const FAILS_WITHIN_MS = 2_000;

/** Opens a file in the user's default application, without waiting for it. */
export async function openFile(path: string, context: Pick<Context, 'env'>): Promise<void> {
  const { command, child } = opener(path, context);
  try {
    await spawned(child);
    child.unref();
  } catch (cause) {
    throw new Failure(`cannot open the file: ${command} is not available`, { hint: `The diagram is in ${path}.`, cause });
  }
}

/** Opens a URL in the user's browser. Resolves with the reason why none opens; null = one does. */
export async function openInBrowser(url: string, context: Pick<Context, 'env'>): Promise<string | null> {
  if (isHeadless(context.env)) return 'there is no display';
  const { command, child } = opener(url, context);
  try {
    await spawned(child);
  } catch {
    return `${command} is not available`;
  }
  const code = await exitWithin(child, FAILS_WITHIN_MS);
  child.unref();
  return code === null || code === 0 ? null : `${command} failed with exit code ${code}`;
}

/** `BROWSER` may name one that needs no display. */
function isHeadless({ DISPLAY, WAYLAND_DISPLAY, BROWSER }: Context['env']): boolean {
  return process.platform === 'linux' && !DISPLAY && !WAYLAND_DISPLAY && !BROWSER;
}

function opener(target: string, { env }: Pick<Context, 'env'>): { readonly command: string; readonly child: ChildProcess } {
  const [command, ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  return { command, child: spawn(command, [...args, target], { env, stdio: 'ignore', detached: true }) };
}

function spawned(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
}

/** The exit code; null = it still runs, or a signal ended it. */
function exitWithin(child: ChildProcess, ms: number): Promise<number | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms, null);
    child.once('exit', (code) => {
      clearTimeout(timer);
      resolve(code);
    });
  });
}
