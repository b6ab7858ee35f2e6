import { describe, expect, it } from 'vitest';
import { LiveAnswers } from '../../../src/cli/following/live-answers.ts';
import { type LiveTextDelta, Unreachable } from '../../../src/client/index.ts';

const SIGNAL = new AbortController().signal;

function part(index: number, text: string, more: Partial<LiveTextDelta> = {}): LiveTextDelta {
  return { execution_id: 'exec_1', node_id: 'think', activation: 1, attempt: 0, index, text, ...more };
}

async function* parts(...given: readonly (LiveTextDelta | Error)[]): AsyncGenerator<LiveTextDelta> {
  for (const each of given) {
    if (each instanceof Error) throw each;
    yield each;
  }
}

describe('the text that a model is writing', () => {
  it('is shown by its end, on one line', async () => {
    const answers = new LiveAnswers(() => parts(part(0, 'Dear\nAda, '), part(10, 'x'.repeat(49)), part(59, '\u001b[2Jend')));
    await answers.follow('exec_1', SIGNAL);
    expect(answers.of('exec_1', 'think')).toBe(`…da, ${'x'.repeat(49)}\\u001b[2Jend`);
    expect(answers.of('exec_1', 'other')).toBeNull();
  });

  it('begins anew with another attempt, and is forgotten with its node', async () => {
    const answers = new LiveAnswers(() => parts(part(0, 'first'), part(0, 'second', { attempt: 1 })));
    await answers.follow('exec_1', SIGNAL);
    expect(answers.of('exec_1', 'think')).toBe('…second');
    answers.apply('exec_1', { type: 'node_completed', node_id: 'think' });
    expect(answers.of('exec_1', 'think')).toBeNull();
  });

  it('is no longer read from a lost server; other errors are errors', async () => {
    const lost = new Unreachable('http://127.0.0.1:1', 'gone');
    await new LiveAnswers(() => parts(part(0, 'a'), lost)).follow('exec_1', SIGNAL);
    await expect(new LiveAnswers(() => parts(new TypeError('bug'))).follow('exec_1', SIGNAL)).rejects.toThrow('bug');
  });
});
