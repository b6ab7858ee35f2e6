import { describe, expect, it } from 'vitest';
import { executionId, workItemId } from '../../../src/api/requests/ids.ts';
import { eventId } from '../../../src/runtime/queries/event-forms.ts';

const hex = '0198f3a2b4c57d8e9f00112233445566';
const dashed = '0198f3a2-b4c5-7d8e-9f00-112233445566';

describe('an execution id', () => {
  it.each([`exec_${hex}`, hex, dashed, dashed.toUpperCase()])('may be written %s', (given) => {
    expect(executionId(given)).toBe(`exec_${hex}`);
  });

  it.each(['', 'exec_abc123', `exec_${dashed}`, `exec_${hex}0`, `run_${hex}`, '../etc', '💥'])('is not %j', (given) => {
    expect(() => executionId(given)).toThrow(`execution ${given}`);
  });

  it('is truncated in the error when it is invalid', () => {
    expect(() => executionId('x'.repeat(5_000))).toThrow(/^execution x{120}… not found$/);
  });
});

describe('a work item id', () => {
  it('is a UUID', () => {
    expect(workItemId(dashed)).toBe(dashed);
    expect(() => workItemId(hex)).toThrow(`work item ${hex}`);
  });
});

describe('an event id', () => {
  it('is a UUID of version 8, the same every time and another one for every event', () => {
    expect(eventId(`exec_${hex}`, 1)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(eventId(`exec_${hex}`, 1)).toBe(eventId(`exec_${hex}`, 1));
    expect(eventId(`exec_${hex}`, 1)).not.toBe(eventId(`exec_${hex}`, 2));
  });
});
