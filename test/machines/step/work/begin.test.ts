import { describe, expect, it } from 'vitest';
import { Driver } from '../../../support/driver.ts';
import { approval, workflow } from '../../../support/workflows.ts';

const asks = (description: string, vars: Readonly<Record<string, string>> = {}): unknown =>
  new Driver(workflow([approval('review', { description })]), { env: { vars } }).all('interrupt_raised')[0]?.data.description;

describe('the description of an approval', () => {
  it('may name the execution, the node and the workflow', () => {
    expect(asks('{{ execution.id }} {{ node.id }} {{ workflow.id }} {{ workflow.version }}')).toMatch(/^exec_1 review \S+ \S+$/);
  });

  it('may name a variable, whose value is fixed at the start', () => {
    expect(asks('Deploy to {{ env.REGION }}?', { REGION: 'eu' })).toBe('Deploy to eu?');
  });
});
