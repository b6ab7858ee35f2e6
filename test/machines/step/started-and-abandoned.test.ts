import { describe, expect, it } from 'vitest';
import { Driver } from '../../support/driver.ts';
import { first, limitExceeded, parallel, subgraph, tool, wait, workflow } from '../../support/workflows.ts';

/** `s`, then `a` beside a node that ends as soon as it begins, which abandons `a`. */
const endings = {
  'an early event': {
    made: workflow(
      [
        tool('s'),
        parallel('p', ['a', 'e']),
        tool('a'),
        wait('e', { correlation_key: 'k' }),
        first('j', { wait_for: ['a', 'e'] }),
      ],
      [
        ['s', 'p'],
        ['a', 'j'],
        ['e', 'j'],
      ],
    ),
    status: 'completed',
  },
  'the fallback of a blocked tool': {
    made: workflow(
      [tool('s'), parallel('p', ['a', 'x']), tool('a'), tool('x', { fallback_node: 'j' }), first('j', { wait_for: ['a', 'x'] })],
      [
        ['s', 'p'],
        ['a', 'j'],
      ],
      { policy: { blocked_tools: ['t.x'] } },
    ),
    status: 'completed',
  },
  limit_exceeded: {
    made: workflow(
      [tool('s'), parallel('p', ['a', 'e']), tool('a'), wait('e', { correlation_key: 'k' }), limitExceeded('l')],
      [
        ['s', 'p'],
        ['a', 'end'],
        ['e', 'l'],
      ],
    ),
    status: 'limit_exceeded',
  },
} as const;

describe.each(Object.entries(endings))('work that begins and is abandoned in one step, by %s,', (_, { made, status }) => {
  it.each([
    ['for a worker', false],
    ['in process', true],
  ])('is logged and has no effects (%s)', (_where, local) => {
    const driver = new Driver(made, { env: { isLocal: () => local } });
    driver.event('k', { paid: true });
    const { effects } = driver.done('s');
    expect(driver.events).toEqual(expect.arrayContaining(['node_scheduled:a', 'node_cancelled:a']));
    expect(driver.events.indexOf('node_scheduled:a')).toBeLessThan(driver.events.indexOf('node_cancelled:a'));
    expect(effects).toEqual([]);
    expect(driver.run.status).toBe(status);
  });
});

describe('what one step starts and abandons', () => {
  const racing = (loser: ReturnType<typeof tool>) =>
    new Driver(
      workflow(
        [tool('s'), parallel('p', ['a', 'e']), loser, wait('e', { correlation_key: 'k' }), first('j', { wait_for: ['a', 'e'] })],
        [
          ['s', 'p'],
          ['a', 'j'],
          ['e', 'j'],
        ],
      ),
      { env: { isLocal: (node) => node === 'a' } },
    );

  it.each([
    ['child', subgraph('a')],
    ['timer', wait('a', { condition: 'timer', timeout_secs: 60 })],
  ])('has no effect %s', (_, loser) => {
    const driver = racing(loser);
    driver.event('k');
    expect(driver.done('s').effects).toEqual([]);
    expect(driver.events).toContain('node_cancelled:a');
    expect(driver.run.status).toBe('completed');
  });

  it('abandons what was in progress before', () => {
    const driver = racing(tool('a'));
    driver.env = { ...driver.env, isLocal: () => false };
    driver.done('s');
    expect(driver.event('k').effects).toEqual([{ type: 'abandon', node: 'a', activation: 1, local: false }]);
  });
});
