import { describe, expect, it } from 'vitest';
import { usageSum } from '../../../machines/step/actions/usage.ts';
import { WorkError } from '../../../src/executors/executor.ts';
import { nextProgress } from '../../../src/executors/tool-context/progress.ts';
import { UsageMeter } from '../../../src/executors/tool-context/usage-meter.ts';

describe('reportUsage', () => {
  it('adds up what is reported, and leaves out what never was', () => {
    const meter = new UsageMeter();
    expect(meter.total).toBeNull();
    meter.add({ inputTokens: 10, costUsd: 0.5 });
    meter.add({ inputTokens: 5 });
    meter.add({});
    expect(meter.total).toEqual({ input_tokens: 15, cost_usd: 0.5 });
  });

  it('adds to what an executor says, and keeps the names of its model', () => {
    expect(usageSum({ gen_ai_model: 'm', input_tokens: 3 }, { input_tokens: 4, cost_usd: 1 })).toEqual({
      gen_ai_model: 'm',
      input_tokens: 7,
      cost_usd: 1,
    });
  });

  it.each([
    [{ inputTokens: -1 }, 'reportUsage: inputTokens: expected a whole number of tokens, 0 or more, not -1'],
    [{ outputTokens: 1.5 }, 'reportUsage: outputTokens: expected a whole number of tokens, 0 or more, not 1.5'],
    [{ costUsd: Number.NaN }, 'reportUsage: costUsd: expected USD from 0 to 1000000000, not NaN'],
    [{ costUsd: '1' }, 'reportUsage: costUsd: expected USD from 0 to 1000000000, not "1"'],
    [{ tokens: 1 }, 'reportUsage: expected an object with inputTokens, outputTokens, costUsd, not "tokens"'],
    [null, 'reportUsage: expected an object, not null'],
  ])('refuses %j without a retry', (reported, message) => {
    const add = () => new UsageMeter().add(reported as never);
    expect(add).toThrow(new WorkError(message, { retryable: false, errorClass: 'validation' }));
  });
});

describe('progress', () => {
  it('keeps the text when a number is said, and the number when a text is', () => {
    const first = nextProgress(null, 'loading');
    expect(first).toEqual({ fraction: null, text: 'loading' });
    const second = nextProgress(first, 0.25);
    expect(second).toEqual({ fraction: 0.25, text: 'loading' });
    expect(nextProgress(second, 'writing')).toEqual({ fraction: 0.25, text: 'writing' });
  });

  it('takes sums of floating-point numbers for 1', () => {
    expect(nextProgress(null, 1 + 2e-7).fraction).toBe(1);
  });

  it('shortens a long text, not between the halves of a character', () => {
    const { text } = nextProgress(null, `${'x'.repeat(198)}😀${'y'.repeat(100)}`);
    expect(text).toBe(`${'x'.repeat(198)}…`);
  });

  it.each([[40], [-0.1], [Number.NaN], [null], [true], [{}]])('refuses %s without a retry', (said) => {
    expect(() => nextProgress(null, said)).toThrow(/^progress: expected a number from 0 to 1 or a text, not /);
  });
});
