import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { MAX_LOSSES, MAX_LOST_LEASES } from '../../../machines/limits.ts';
import { save } from '../../../machines/step/index.ts';
import { Driver } from '../../support/driver.ts';
import { replay } from '../../support/replay.ts';
import { type NodeSpec, tool, workflow } from '../../support/workflows.ts';

const FUNCTION = { id: 'f', kind: { type: 'durable_function', function_ref: 'f' }, retry_policy: 'once' } as NodeSpec;
const MAP = {
  id: 'm',
  kind: { type: 'map', items: 'state.list', do: { type: 'tool', tool_ref: 't' }, max_concurrency: 2, on_item_error: 'collect' },
  retry_policy: 'once',
} as NodeSpec;

const begun = (node: NodeSpec, local = true, document: JsonObject = {}): Driver =>
  new Driver(workflow([node], [], document), { input: { list: ['a', 'b', 'c'] }, env: { isLocal: () => local } });

/** The process of the attempt is gone. Returns the types of what is logged. */
function lose(driver: Driver, node: string, item?: number, lost = MAX_LOSSES): readonly string[] {
  const visit = { ...driver.visit(node, item), item };
  if (!driver.env.isLocal(node) && driver.active.some((one) => one.item === item && one.phase === 'queued'))
    driver.send({ type: 'claimed', ...visit, workerId: 'w' });
  driver.send({ type: 'fail', ...visit, error: 'runtime lost', retryable: true, lost });
  return driver.last.events.map(({ type }) => type);
}

const AGAIN = ['attempt_lost', 'node_scheduled', 'node_started'];

function expectReplays({ program, log, run, saves, env }: Driver): void {
  expect(save(replay(program, null, log, env))).toBe(save(run));
  for (const { seq, text } of saves) expect(save(replay(program, null, log.slice(0, seq), env))).toBe(text);
}

describe('an attempt whose process is lost', () => {
  it('of a durable function begins again as the same one, however often its node is attempted', () => {
    const driver = begun(FUNCTION);
    expect(lose(driver, 'f')).toEqual(AGAIN);
    expect(driver.all('attempt_lost')).toMatchObject([{ data: { error: 'runtime lost', attempt: 0, activation: 1 } }]);
    expect(driver.active).toMatchObject([{ node: 'f', attempt: 0, phase: 'running' }]);
    for (let losses = 1; losses < MAX_LOSSES; losses += 1) expect(lose(driver, 'f')).toEqual(AGAIN);
    expect(lose(driver, 'f')).toEqual(['node_failed', 'workflow_failed']);
    expect(driver.all('node_failed')).toMatchObject([{ data: { error: 'runtime lost', attempt: 0, retryable: false } }]);
    expectReplays(driver);
  });

  it('counts as failed after so many losses in a row, and so does the next one at once', () => {
    const driver = begun({ ...FUNCTION, retry_policy: 'at_once' } as NodeSpec);
    for (let losses = 0; losses < MAX_LOSSES; losses += 1) lose(driver, 'f');
    expect(lose(driver, 'f')).toEqual(['node_failed', 'retry_scheduled', 'node_scheduled', 'node_started']);
    expect(lose(driver, 'f')[0]).toBe('node_failed');
    expectReplays(driver);
  });

  it('has had no losses once the function has gone on', () => {
    const driver = begun(FUNCTION);
    for (let losses = 0; losses < MAX_LOSSES; losses += 1) lose(driver, 'f');
    const begin = { type: 'begin', operation: 1, name: 'a', kind: 'step' } as const;
    driver.send({ type: 'operations', ...driver.visit('f'), entries: [begin] });
    expect(lose(driver, 'f')).toEqual(AGAIN);
    driver.send({ type: 'requeue', ...driver.visit('f') });
    for (let losses = 1; losses < MAX_LOSSES; losses += 1) expect(lose(driver, 'f')).toEqual(AGAIN);
    expect(lose(driver, 'f')[0]).toBe('node_failed');
    expectReplays(driver);
  });

  it('of an item begins again as the same one, whatever becomes of the others', () => {
    const driver = begun(MAP);
    for (let losses = 0; losses < MAX_LOSSES; losses += 1) expect(lose(driver, 'm', 1)).toEqual(AGAIN);
    driver.send({ type: 'done', ...driver.visit('m', 0), item: 0, output: 1, durationMs: 1 });
    expect(lose(driver, 'm', 2)).toEqual(AGAIN);
    expect(lose(driver, 'm', 1)).toEqual(['node_failed']);
    driver.send({ type: 'done', ...driver.visit('m', 2), item: 2, output: 3, durationMs: 1 });
    expect(driver.run.status).toBe('completed');
    expect(driver.all('attempt_lost').map(({ data }) => [data.item, data.attempt])).toEqual([
      ...Array.from({ length: MAX_LOSSES }, () => [1, 0]),
      [2, 0],
    ]);
    expectReplays(driver);
  });

  it('begins again in a suspended execution, as it was in progress before', () => {
    for (const [node, item] of [
      [FUNCTION, undefined],
      [MAP, 0],
    ] as const) {
      const driver = begun(node);
      driver.send({ type: 'pause', reason: null });
      expect(lose(driver, node.id, item)).toEqual(AGAIN);
      expectReplays(driver);
    }
  });

  it('with a lease does so less often: the work may be what stops its worker', () => {
    for (const [node, item] of [
      [FUNCTION, undefined],
      [MAP, 0],
    ] as const) {
      const driver = begun(node, false);
      for (let losses = 0; losses < MAX_LOST_LEASES; losses += 1)
        expect(lose(driver, node.id, item, MAX_LOST_LEASES)).toEqual(['attempt_lost', 'node_scheduled']);
      expect(driver.last.effects).toMatchObject([{ type: 'work', node: node.id, attempt: 0, local: false, item }]);
      expect(lose(driver, node.id, item, MAX_LOST_LEASES)[0]).toBe('node_failed');
      expectReplays(driver);
    }
  });

  it('of any other node has failed', () => {
    const driver = begun(tool('a'));
    expect(lose(driver, 'a')).toEqual(['node_failed', 'workflow_failed']);
    expectReplays(driver);
  });

  it('has used what it has used: a budget that is exceeded begins nothing again', () => {
    const visit = (driver: Driver) => ({ ...driver.visit('m', 0), item: 0 });
    const lost = { type: 'fail', error: 'runtime lost', retryable: true, lost: MAX_LOSSES, usage: { input_tokens: 6 } } as const;
    const driver = begun(MAP, true, { token_budget: { total_tokens: 10 } });
    driver.send({ ...lost, ...visit(driver) });
    expect(driver.all('attempt_lost')).toMatchObject([{ data: { input_tokens: 6 } }]);
    driver.send({ ...lost, ...visit(driver) });
    expect(driver.run.status).toBe('failed');
    expect(driver.events.slice(0, 2)).toEqual(['attempt_lost:m', 'token_budget_exceeded:m']);
    expectReplays(driver);
  });
});
