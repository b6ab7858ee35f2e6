import { describe, expect, it } from 'vitest';
import { DETECTORS } from '../../../../machines/redaction/detectors.ts';
import { KnownValues } from '../../../../machines/redaction/known-values.ts';
import { Redactor } from '../../../../machines/redaction/redactor.ts';
import type { ActivityTask } from '../../../../src/runtime/activities/local/activity-task.ts';
import { LiveTexts } from '../../../../src/runtime/activities/local/live-texts.ts';
import { TimeSlices } from '../../../../src/runtime/scheduling/time-slices.ts';
import { FakeClock } from '../../../support/clock.ts';

const TASK = { tenantId: 'default', executionId: 'e', node: 'n', activation: 1, attempt: 0, dropped: false };

describe('the text of an attempt under a data policy', () => {
  it('is shown in order, whatever the lengths of its parts, and redacted in slices', async () => {
    const clock = new FakeClock();
    const texts = new LiveTexts(clock, new TimeSlices(clock));
    const redactor = new Redactor({ paths: [], detectors: DETECTORS, mode: 'mask' }, KnownValues.of([], []));
    const { add, end } = texts.begin(TASK as unknown as ActivityTask, redactor);
    add('from ann@example.com: ');
    const live = texts.find(TASK);
    expect(live?.text).toBe('from [REDACTED]: ');
    const part = 'call +49 30 1234567, or not. '.repeat(20_000);
    add(part);
    add('and bob@example.com too; ');
    end();
    // The long part is not redacted at once.
    expect(live).toMatchObject({ text: 'from [REDACTED]: ', ended: false });
    await expect.poll(() => live?.ended).toBe(true);
    expect(live?.text).toBe(`from [REDACTED]: ${'call [REDACTED], or not. '.repeat(20_000)}and [REDACTED] too; `);
  });
});
