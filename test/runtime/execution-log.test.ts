import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../machines/json.ts';
import type { ExecutionLogger, LogFields } from '../../src/runtime/execution-log.ts';
import type { ToolContext } from '../../src/runtime/types/work.ts';
import { CALLER, eventually, openTestRuntime } from '../support/runtimes.ts';

const MAIL = 'ann.smith@example.com';

const document = (more: JsonObject = {}): JsonObject => ({
  workflow_id: 'order',
  version: '2',
  nodes: { charge: { kind: { type: 'tool', tool_ref: 'charge', input_mapping: { mail: '{{ state.mail }}' } } } },
  edges: [{ from: 'charge', to: 'end' }],
  ...more,
});

const twice = {
  ...document(),
  nodes: { charge: { kind: { type: 'tool', tool_ref: 'charge' }, retry_policy: 'twice' } },
  retry_policies: { twice: { max_attempts: 2, backoff_strategy: 'fixed', initial_delay_ms: 1 } },
};

function recording() {
  const lines: LogFields[] = [];
  const at = (level: string) => (fields: LogFields, message: string) => void lines.push({ level, message, ...fields });
  const logger: ExecutionLogger = { info: at('info'), warn: at('warn'), error: at('error') };
  return { lines, logger, texts: () => lines.map(({ level, message }) => `${String(level)} ${String(message)}`) };
}

const declined = () => {
  throw new TypeError('card declined', { cause: new Error('403 of the bank') });
};
const refused = () => {
  throw Object.assign(new Error(`no card of ${MAIL}`, { cause: new Error(MAIL) }), { retryable: false });
};

describe('the log of executions', () => {
  it('names execution, node, attempt, tenant and workflow of each failed attempt, and then the failed execution', async () => {
    const { lines, logger } = recording();
    const { run, settled, clock, timeline } = await openTestRuntime({ tools: { charge: declined }, logger });
    const id = await run(twice);
    await eventually(async () => {
      clock.advance(1000);
      return (await timeline(id)).includes('workflow_failed');
    });
    await settled(id);
    const about = { execution: id, tenant: 'default', workflow: 'order' };
    const failed = { ...about, level: 'warn', message: 'attempt failed', node: 'charge', error_name: 'TypeError' };
    expect(lines).toMatchObject([
      { ...about, level: 'info', message: 'execution started', version: '2' },
      { ...failed, attempt: 0, retryable: true, error: 'card declined: 403 of the bank' },
      { ...failed, attempt: 1, retryable: false, stack: expect.stringContaining('execution-log.test.ts') },
      {
        ...about,
        level: 'error',
        message: 'execution failed',
        status: 'failed',
        error: expect.stringContaining('card declined'),
      },
    ]);
  });

  it('says how an execution ended that did not fail', async () => {
    const { lines, logger } = recording();
    const { run, settled } = await openTestRuntime({ tools: { charge: () => ({ paid: true }) }, logger });
    await settled(await run(document()));
    expect(lines).toMatchObject([
      { level: 'info', message: 'execution started' },
      { level: 'info', message: 'execution ended', status: 'completed' },
    ]);
    expect(lines[1]).not.toHaveProperty('error');
  });

  it('says that a retry goes on, and how that ends', async () => {
    const { texts, lines, logger } = recording();
    const { run, settled, runtime } = await openTestRuntime({ tools: { charge: refused }, logger });
    const id = await run(document());
    await settled(id);
    await runtime.retry(CALLER, id);
    await settled(id);
    const failure = ['warn attempt failed', 'error execution failed'];
    expect(texts()).toEqual(['info execution started', ...failure, 'info execution retried', ...failure]);
    expect(lines[3]).toMatchObject({ execution: id, nodes: ['charge'] });
  });

  it('does not repeat the failures that a fork copies', async () => {
    const { lines, texts, logger } = recording();
    const charge = (_input: unknown, { attempt }: ToolContext) => (attempt === 0 ? declined() : {});
    const { run, settled, runtime, log, clock } = await openTestRuntime({ tools: { charge, ship: () => ({}) }, logger });
    const edges = ['charge', 'ship', 'end'].map((to, i, all) => ({ from: all[i - 1] ?? '', to })).slice(1);
    const id = await run({ ...twice, nodes: { ...twice.nodes, ship: { kind: { type: 'tool', tool_ref: 'ship' } } }, edges });
    const endOf = async (execution: string) => (await log(execution)).find(({ type }) => type === 'workflow_completed');
    await eventually(async () => {
      clock.advance(1000);
      return (await endOf(id)) !== undefined;
    });
    const charged = (await log(id)).find(({ type }) => type === 'node_completed');
    const already = lines.length;
    const fork = await runtime.fork(CALLER, id, { atSequence: charged?.sequence ?? 0 });
    await settled(fork.executionId ?? '');
    expect((await log(fork.executionId ?? '')).map(({ type }) => type)).toContain('node_failed');
    expect(texts().slice(already)).toEqual(['info execution started', 'info execution ended']);
    expect(lines[already]).toMatchObject({ execution: fork.executionId, origin: { execution_id: id } });
  });

  it('is redacted as the data policy says', async () => {
    const { lines, logger } = recording();
    const { run, settled } = await openTestRuntime({ tools: { charge: refused }, logger });
    await settled(await run(document({ data_policy: { pii_detectors: ['email'] } }), { mail: MAIL }));
    expect(lines).toHaveLength(3);
    expect(JSON.stringify(lines)).not.toContain(MAIL);
  });

  it('warns of a condition that could not be evaluated', async () => {
    const { lines, logger } = recording();
    const { run, settled } = await openTestRuntime({ logger });
    const branches = [
      { condition: 'state.total * 2 > 10', target: 'end' },
      { condition: null, target: 'end' },
    ];
    const id = await run({ ...document(), nodes: { check: { kind: { type: 'condition', branches } } }, edges: [] });
    await settled(id);
    expect(lines).toMatchObject([
      { level: 'info' },
      { level: 'warn', execution: id, tenant: 'default', workflow: 'order', message: expect.stringContaining('of node "check"') },
      { level: 'info', status: 'completed' },
    ]);
  });

  it('may be written by pino', async () => {
    const lines: unknown[] = [];
    const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const { run, settled } = await openTestRuntime({ tools: { charge: refused }, logger });
    const id = await run(document());
    await settled(id);
    expect(lines).toMatchObject([
      { level: 40, msg: 'attempt failed', execution: id, node: 'charge', attempt: 0 },
      { level: 50, msg: 'execution failed', execution: id },
    ]);
  });
});
