import { describe, expect, it } from 'vitest';
import { type Action, type ControlInputs, type Controls, INITIAL_CONTROLS, press } from '../../../src/cli/live/controls.ts';

const INPUTS: ControlInputs = {
  nodes: ['look_up', 'review', 'pay'],
  defaultRow: 1,
  approvals: ['review'],
  awaitedEvents: new Map(),
  suspended: false,
  ended: false,
  pageRows: 2,
  maxScroll: 7,
};

/** Presses keys: names in angle brackets, letters otherwise. */
function pressed(keys: string, inputs: Partial<ControlInputs> = {}, from: Controls = INITIAL_CONTROLS) {
  let controls = from;
  const actions: Action[] = [];
  for (const [, name, letter = ''] of keys.matchAll(/<([\w-]+)>|(.)/gu)) {
    const ctrl = name?.startsWith('ctrl-') === true;
    const key = { name: name?.replace('ctrl-', '') ?? letter, text: name === undefined ? letter : '', ctrl };
    const result = press(controls, key, { ...INPUTS, ...inputs });
    controls = result.controls;
    if (result.action !== null) actions.push(result.action);
  }
  return { controls, actions };
}

describe('deciding', () => {
  it('asks for a comment, then for confirmation', () => {
    expect(pressed('rno<return>').controls.mode).toMatchObject({ type: 'confirming', question: 'Reject review (“no”)?' });
    expect(pressed('rno<return>y').actions).toEqual([{ type: 'decide', node: 'review', decision: 'rejected', comment: 'no' }]);
    expect(pressed('a<return>y').actions).toEqual([{ type: 'decide', node: 'review', decision: 'approved', comment: '' }]);
  });

  it.each(['a<return>n', 'a<return><return>', 'a<escape>', 'ayes<escape>y'])('does nothing after %s', (keys) => {
    const { controls, actions } = pressed(keys);
    expect(actions).toEqual([]);
    expect(controls.mode).toEqual({ type: 'browsing' });
  });

  it('requires a selection among several approvals', () => {
    const several = { approvals: ['look_up', 'pay'] };
    const { controls, actions } = pressed('a', several);
    expect({ actions, controls }).toMatchObject({
      actions: [],
      controls: { selected: 0, notice: expect.stringContaining('several') },
    });
    expect(pressed('<down>a<return>y', several).actions).toMatchObject([{ node: 'pay' }]);
  });

  it('reports that there are no pending approvals', () => {
    expect(pressed('a', { approvals: [] }).controls).toMatchObject({ notice: 'no pending approvals' });
  });
});

describe('sending an event', () => {
  it('suggests the awaited correlation key', () => {
    const awaited = new Map([['pay', 'payment-received']]);
    expect(pressed('e<return><return>', { awaitedEvents: awaited }).actions).toEqual([
      { type: 'send', key: 'payment-received', payload: {} },
    ]);
  });

  it('begins with empty prompts, so that what is typed is what is sent', () => {
    const awaited = new Map([['pay', 'payment-received']]);
    expect(pressed('erefund<return>{"n":1}<return>', { awaitedEvents: awaited }).actions).toEqual([
      { type: 'send', key: 'refund', payload: { n: 1 } },
    ]);
  });

  it('accepts only JSON, and keeps the typed text', () => {
    const { controls, actions } = pressed('ekey<return><ctrl-u>{no<return>');
    expect(actions).toEqual([]);
    expect(controls.notice).toMatch(/^not JSON: /);
    expect(pressed('<ctrl-u>[1]<return>', {}, controls).actions).toEqual([{ type: 'send', key: 'key', payload: [1] }]);
  });

  it('requires a correlation key', () => {
    expect(pressed('e<return>').controls.notice).toBe('the correlation key is missing');
  });
});

describe('the other keys', () => {
  it('select rows of the outline, and return to the default row', () => {
    expect(pressed('j').controls.selected).toBe(2);
    expect(pressed('jjjj').controls.selected).toBe(2);
    expect(pressed('<home>').controls.selected).toBe(0);
    expect(pressed('j<escape>').controls.selected).toBeNull();
  });

  it('scroll the details within their length', () => {
    expect(pressed('<return><end><up>').controls.mode).toEqual({ type: 'reading', from: 6 });
    expect(pressed('<return><end><escape>').controls.mode).toEqual({ type: 'browsing' });
  });

  it('pause, resume, and cancel after confirmation', () => {
    expect(pressed('p').actions).toEqual([{ type: 'pause' }]);
    expect(pressed('p', { suspended: true }).actions).toEqual([]);
    expect(pressed('u', { suspended: true }).actions).toEqual([{ type: 'resume' }]);
    expect(pressed('u').actions).toEqual([]);
    expect(pressed('cn').actions).toEqual([]);
    expect(pressed('cy').actions).toEqual([{ type: 'cancel' }]);
  });

  it('quit with q, and with almost any key after the end', () => {
    expect(pressed('q').actions).toEqual([{ type: 'quit' }]);
    expect(pressed('x').actions).toEqual([]);
    expect(pressed('x', { ended: true }).actions).toEqual([{ type: 'quit' }]);
    expect(pressed('j<return><escape>', { ended: true }).actions).toEqual([]);
  });

  it('interrupt with Ctrl-C in every mode', () => {
    for (const before of ['', 'a', 'a<return>', '<return>'])
      expect(pressed(`${before}<ctrl-c>`).actions).toEqual([{ type: 'interrupt' }]);
  });
});
