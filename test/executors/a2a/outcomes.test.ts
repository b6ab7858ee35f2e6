import { describe, expect, it } from 'vitest';
import { NO_AGENTS } from '../../../src/executors/a2a/directory.ts';
import { remembering } from '../../../src/executors/a2a/outcomes.ts';
import { RemoteAgents } from '../../../src/executors/a2a/remote-agents.ts';
import { type Executor, WorkError } from '../../../src/executors/executor.ts';
import { Outbound } from '../../../src/executors/outbound/index.ts';
import { contextWith, workWith } from '../work.ts';

/** What is remembered of a call that ends as `executor` does. */
async function remembered(executor: Executor, input = {}, signal = new AbortController().signal) {
  const outcomes: object[] = [];
  const directory = {
    ...NO_AGENTS,
    find: async () => ({ id: 'a', name: 'A', uri: 'https://registered.example.com', status: 'active', card: {} }) as const,
    record: (tenantId: string, uri: string, { failed, durationMs }: { failed: boolean; durationMs: number }) =>
      void outcomes.push({ tenantId, uri, failed, timed: durationMs >= 0 }),
  };
  const agents = new RemoteAgents({ outbound: new Outbound({ allowPrivateAddresses: false }), directory });
  const declared = { legal: { url: 'https://legal.example.com' } };
  const execute = remembering(executor, { agents, declared, vars: {} });
  await execute(workWith(input), contextWith({ signal }), undefined, async () => {}).catch(() => {});
  return outcomes;
}

const calls: Executor = async (_work, _context, _onText, log) => {
  await log?.('remote_task_started', { agent: 'https://a.example.com', task_id: 't', context_id: '' });
  return { output: 1 };
};
const fails =
  (errorClass?: string): Executor =>
  async () => {
    throw new WorkError('no', { retryable: true, ...(errorClass === undefined ? {} : { errorClass }) });
  };
const once = (uri: string, failed: boolean) => [{ tenantId: 'default', uri, failed, timed: true }];

describe('calls of agents', () => {
  it('are remembered by the address that was called', async () => {
    expect(await remembered(calls)).toEqual(once('https://a.example.com', false));
    const refused: Executor = async (...given) => {
      await calls(...given);
      throw new WorkError('the task failed', { retryable: false, errorClass: 'task_failed' });
    };
    expect(await remembered(refused)).toEqual(once('https://a.example.com', true));
  });

  it('that did not come about are remembered by the agent that the node names', async () => {
    expect(await remembered(fails('io_error'), { remote_agent: 'legal' })).toEqual(once('https://legal.example.com', true));
    expect(await remembered(fails(), { agent: 'https://b.example.com' })).toEqual(once('https://b.example.com', true));
    expect(await remembered(fails(), { agent: 'a' })).toEqual(once('https://registered.example.com', true));
    expect(await remembered(fails(), {})).toEqual([]);
  });

  it('say nothing of the agent when the input is at fault, or when they are cancelled', async () => {
    expect(await remembered(fails('validation'), { remote_agent: 'legal' })).toEqual([]);
    const cancelled = AbortSignal.abort(new WorkError('the node was cancelled', { retryable: false }));
    expect(await remembered(fails('io_error'), { remote_agent: 'legal' }, cancelled)).toEqual([]);
    const late = AbortSignal.abort(new WorkError('timed out after 5 s', { retryable: true, errorClass: 'timeout' }));
    expect(await remembered(fails(), { remote_agent: 'legal' }, late)).toEqual(once('https://legal.example.com', true));
  });
});
