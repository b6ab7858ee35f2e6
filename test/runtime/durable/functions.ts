import { type DurableContext, durable, Type } from '../../../src/index.ts';
import { crashCopy, openTestRuntime, type TestRuntime } from '../../support/runtimes.ts';

export type Run = (ctx: DurableContext, input: { readonly n: number }) => unknown;

export const defined = (run: Run) => durable({ id: 'f', version: '1', input: Type.Object({ n: Type.Number() }), run });

/** Opens a runtime that has the function, and starts it. */
export async function started(run: Run, options: Parameters<typeof openTestRuntime>[0] = {}) {
  const definition = defined(run);
  const opened = await openTestRuntime({ tools: definition.tools, ...options });
  const id = await opened.run(definition.document, { n: 1 });
  return { ...opened, id };
}

/** The runtime crashes, and another one continues. */
export async function afterCrash({ path, close }: TestRuntime, run: Run, options: Parameters<typeof openTestRuntime>[0] = {}) {
  const copy = crashCopy(path);
  await close();
  return openTestRuntime({ tools: defined(run).tools, path: copy, ...options });
}

export const types = (timeline: readonly string[]) => timeline.map((line) => line.split(' ')[0]);
