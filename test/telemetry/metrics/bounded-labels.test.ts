import { describe, expect, it } from 'vitest';
import { BoundedLabels } from '../../../src/telemetry/metrics/bounded-labels.ts';

describe('labels of metrics', () => {
  it('are counted as other once a label has had its number of values', () => {
    const labels = new BoundedLabels(2);
    const of = (value: string): string => labels.bounded('workflow', value);
    expect(['a', 'b', 'c', 'a', 'd'].map(of)).toEqual(['a', 'b', 'other', 'a', 'other']);
  });

  it('are counted for each label apart', () => {
    const labels = new BoundedLabels(1);
    expect([labels.bounded('workflow', 'a'), labels.bounded('tenant', 'b')]).toEqual(['a', 'b']);
  });

  it('keep values that the runtime itself defines', () => {
    const labels = new BoundedLabels(0);
    expect([labels.bounded('status', 'failed'), labels.bounded('kind', 'tool'), labels.bounded('queue', 'q')]).toEqual([
      'failed',
      'tool',
      'other',
    ]);
  });
});
