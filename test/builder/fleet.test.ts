import { describe, expect, it } from 'vitest';
import { checkObject, checkObjectTests } from '../../src/authoring/check-object.ts';
import { agent } from '../../src/builder/agent.ts';
import { authoredOf } from '../../src/builder/definition.ts';
import { fleet } from '../../src/builder/fleet.ts';
import { workflow } from '../../src/builder/workflow.ts';
import { authoredBy } from '../support/authored.ts';

const limits = { maxIterations: 2, maxCostUsd: 0.1, timeoutSeconds: 60 };
const brief = agent({ id: 'brief', strategy: 'react', goal: 'Sum up', model: 'gpt-4o-mini', limits });

function calling(id: string, search: () => string) {
  return workflow({ id, tools: { search }, nodes: { search: {} } });
}

describe('fleet', () => {
  it('has the documents, schedules and tests of its units', () => {
    const nightly = workflow({
      id: 'nightly',
      nodes: { ask: { type: 'subgraph', workflow: brief } },
      schedule: { cron: '0 8 * * *', input: { all: true } },
      tests: [{ name: 'asks', expect: { visited: ['ask'] } }],
    });
    const both = fleet([nightly]);
    const { document, workflows, diagnostics } = checkObject(authoredBy(both));
    expect(diagnostics).toEqual([]);
    expect(document).toBeNull();
    expect(workflows.map((unit) => unit.document)).toEqual([brief.document, nightly.document]);
    expect(workflows.map(({ schedule }) => schedule)).toEqual([
      null,
      { cron: '0 8 * * *', timezone: 'UTC', input: { all: true }, enabled: true },
    ]);
    expect(checkObjectTests(authoredBy(both)).map(({ unit, tests }) => [unit, tests.map(({ name }) => name)])).toEqual([
      ['brief', []],
      ['nightly', ['asks']],
    ]);
  });

  it('brings the functions of its units', () => {
    const search = (): string => 'found';
    const both = fleet([calling('first', search), calling('second', search)]);
    expect(authoredOf(both)?.tools).toEqual({ search });
    expect(both.units.map(({ id }) => id)).toEqual(['first', 'second']);
  });

  it('refuses two units with one id, and two functions of one name', () => {
    expect(() => fleet([brief, workflow({ id: 'brief', nodes: { a: { tool: 'x' } } })])).toThrow(/two units .* "brief"/);
    expect(() => fleet([calling('first', () => 'a'), calling('second', () => 'b')])).toThrow(
      'workflow "second" calls another function as "search"',
    );
  });

  it('without units is a file without anything to run', () => {
    expect(checkObject(authoredBy(fleet([]))).diagnostics).toMatchObject([{ code: 'no_nodes' }]);
  });
});

describe('the schedule of a workflow', () => {
  it('is read from a file of one workflow too', () => {
    const daily = workflow({ id: 'daily', nodes: { a: { tool: 'a' } }, schedule: { cron: '0 8 * *' } });
    expect(daily.diagnostics).toMatchObject([{ code: 'bad_schedule' }]);
    // @ts-expect-error A schedule has a cron expression.
    const without = workflow({ id: 'daily', nodes: { a: { tool: 'a' } }, schedule: { timezone: 'UTC' } });
    expect(without.diagnostics).toMatchObject([{ code: 'missing_key' }]);
  });
});
