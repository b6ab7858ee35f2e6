import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { type Context, listenForInterrupt } from '../../../src/cli/context.ts';
import { followExecution } from '../../../src/cli/following/follow-execution.ts';
import type { JamjetClient } from '../../../src/client/index.ts';
import { REVIEWED, TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';

const server = runtimeServer(TOOLS);

/** A client whose approvals arrive only when the execution has been read that often meanwhile. */
function slowToApprove(client: JamjetClient, reads: number): JamjetClient {
  let left = reads;
  let arrive: (() => void) | null = null;
  const overrides: Partial<JamjetClient> = {
    async approve(...request) {
      await new Promise<void>((resolve) => {
        arrive = resolve;
      });
      return client.approve(...request);
    },
    execution(...request) {
      if (arrive !== null) left -= 1;
      if (left === 0) arrive?.();
      return client.execution(...request);
    },
  };
  return new Proxy(client, {
    get(target, key) {
      const value: unknown = Reflect.get(key in overrides ? overrides : target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

it('an answer from standard input is waited for while it is delivered', async () => {
  const { client, url } = server();
  const { workflow_id } = await client.registerWorkflow(REVIEWED);
  const { execution_id } = await client.start({ workflow_id });
  const stdin = new PassThrough();
  stdin.end('n too expensive\n');
  const [stdout, stderr, signals] = [new PassThrough().resume(), new PassThrough().resume(), new EventEmitter()];
  const streams = { stdin, stdinIsPiped: true, stdout, stderr, signals };
  const context: Context = { ...streams, env: { TERM: 'dumb' }, cwd: '/nonexistent', colorDepth: 1 };
  const host = {
    client: slowToApprove(client, 3),
    embedded: true,
    url,
    tokenSource: null,
    label: '',
    functions: new Set<string>(),
    startupNotes: [],
    queuedWorkNote: null,
    async *live() {},
    close: async () => {},
  };
  const interrupt = listenForInterrupt(signals);
  const { exitReason, execution } = await followExecution(
    { context, host, interrupt, quiet: false, timeoutMs: null },
    execution_id,
  );
  interrupt.stopListening();
  expect([exitReason, execution.status]).toEqual([null, 'failed']);
});
