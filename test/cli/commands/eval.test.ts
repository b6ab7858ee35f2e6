import { readFileSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EvalResult } from '../../../src/evaluation/run.ts';
import { runtimeServer } from '../runtime-server.ts';
import { type Ended, inFolder, jamjet } from '../terminal-session.ts';

const EXAMPLE = resolve('examples/answer-quality');
const WORKFLOW = `workflow: { id: double, version: 1.0.0 }
nodes:
  double: { type: tool, tool_ref: double, input: { n: "{{ state.n }}" }, output_key: twice, next: check }
  check: { type: condition, branches: [{ if: state.n < 0, next: ask }], default: end }
  ask: { type: human_approval }
`;
const TOOLS = `export const double = ({ n }) => { if (n === 13) throw Object.assign(new Error('unlucky'), { retryable: false }); return 2 * n; };\n`;
const ROWS = [
  { id: 'one', input: { n: 1 }, expected: 2 },
  { id: 'two', input: { n: 2 }, expected: 5 },
  { id: 'bad', input: { n: 13 }, expected: 26 },
];

let models: Server;
let env: Record<string, string> = {};
beforeAll(async () => {
  const { startService } = await import(pathToFileURL(join(EXAMPLE, 'service.mjs')).href);
  models = await startService(0);
  const base_url = `http://127.0.0.1:${(models.address() as AddressInfo).port}/v1`;
  const named = (model: string) => ({ provider: 'openai-compatible', model, base_url });
  env = { JAMJET_MODELS: JSON.stringify({ writer: named('writer'), judge: named('judge') }) };
});
afterAll(() => {
  models.close();
});

/** Runs `jamjet eval …` in a new folder with the workflow, its tools and its rows. */
function evaluated(args: readonly string[], after: (folder: string, ended: Ended) => unknown = () => {}) {
  return inFolder(async (folder) => {
    writeFileSync(join(folder, 'double.yaml'), WORKFLOW);
    writeFileSync(join(folder, 'tools.mjs'), TOOLS);
    writeFileSync(join(folder, 'rows.jsonl'), ROWS.map((row) => JSON.stringify(row)).join('\n'));
    const ended = await jamjet(['eval', ...args], { cwd: folder, env });
    await after(folder, ended);
    return ended;
  });
}

const RUN = ['run', 'rows.jsonl', '-w', 'double.yaml', '--embedded', '--tools', 'tools.mjs'];
const EQUAL = ['-a', 'output.twice == expected'];

describe('jamjet eval run', () => {
  it('runs every row, prints a table, and writes the results', async () => {
    const { code, stdout, stderr } = await evaluated([...RUN, ...EQUAL, '--latency-ms', '60000', '-o', 'out.json'], (folder) => {
      const results = JSON.parse(readFileSync(join(folder, 'out.json'), 'utf8')) as EvalResult[];
      expect(results.map(({ row_id, passed, error }) => [row_id, passed, error])).toEqual([
        ['one', true, null],
        ['two', false, null],
        ['bad', false, 'execution failed: double: unlucky'],
      ]);
      expect(results[0]).toMatchObject({
        overall_score: 1,
        cost_usd: 0,
        output: { n: 1, twice: 2 },
        input: { n: 1 },
        expected: 2,
        trajectory: ['double'],
        scorers: [{ scorer: 'assertion' }, { scorer: 'latency', passed: true }],
        execution_id: expect.stringMatching(/^exec_/),
      });
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/✗ {2}two\b.*✗ assertion: failed: output.twice == expected/);
    expect(stdout).toContain('✗ 1/3 rows passed (33.3%)');
    expect(stderr).toContain('✗ bad  execution failed: double: unlucky');
  });

  it('fails below a pass rate', async () => {
    const passing = ['-a', 'output.twice == 2 * output.n'];
    expect((await evaluated([...RUN, ...passing, '--fail-below', '66'])).code).toBe(0);
    const { code, stdout } = await evaluated([...RUN, ...passing, '--fail-below', '67']);
    expect(code).toBe(1);
    expect(stdout).toContain('✗ 66.7% of the rows pass, 67% are required');
  });

  it('prints JSON alone with --json', async () => {
    const { stdout, stderr } = await evaluated([...RUN, ...EQUAL, '--json']);
    expect((JSON.parse(stdout) as EvalResult[]).map(({ row_id }) => row_id)).toEqual(['one', 'two', 'bad']);
    expect(stderr).toBe('');
  });

  it('shows a progress bar on a terminal', async () => {
    const session = await inFolder(async (folder) => {
      writeFileSync(join(folder, 'double.yaml'), WORKFLOW);
      writeFileSync(join(folder, 'tools.mjs'), TOOLS);
      writeFileSync(join(folder, 'rows.csv'), 'id,n,expected\none,1,2\n');
      return jamjet(['eval', ...RUN.map((word) => word.replace('.jsonl', '.csv')), ...EQUAL], { cwd: folder, tty: true });
    });
    expect(session.stderr).toContain('████████████████████████  1/1  1 passed');
    expect(session.stdout).toContain('✓ 1/1 row passed (100.0%)');
  });

  it('gives up an execution that takes too long, and cancels it', async () => {
    const { code, stdout } = await inFolder(async (folder) => {
      writeFileSync(join(folder, 'double.yaml'), WORKFLOW);
      writeFileSync(join(folder, 'tools.mjs'), TOOLS);
      writeFileSync(join(folder, 'rows.jsonl'), '{"id": "asks", "input": {"n": -1}}');
      const ended = await jamjet(['eval', ...RUN, '--timeout', '1'], { cwd: folder });
      const { stdout } = await jamjet(['ls', '--json'], { cwd: folder });
      expect(JSON.parse(stdout).executions).toMatchObject([{ status: 'cancelled' }]);
      return ended;
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/exec_\w+ is still paused after 1 s/);
  });

  it('asks a model to judge, and scores what the workflow cost', async () => {
    const { code, stdout } = await inFolder((folder) =>
      jamjet(
        [
          'eval',
          'run',
          join(EXAMPLE, 'questions.jsonl'),
          '-w',
          join(EXAMPLE, 'workflow.yaml'),
          '--db',
          join(folder, 'e.db'),
        ].concat(
          ['--rubric', 'Is the answer polite?', '--model', 'judge', '--min-score', '4', '--cost-usd', '1', '--json'],
          ['-a', "'https://' in output.answer", '--fail-below', '100'],
        ),
        { cwd: folder, env },
      ),
    );
    const results = JSON.parse(stdout) as EvalResult[];
    expect(results).toHaveLength(2);
    for (const { scorers } of results)
      expect(scorers).toMatchObject([
        { scorer: 'assertion', passed: true },
        // The models of the example have no prices.
        { scorer: 'cost', passed: false },
        { scorer: 'llm_judge', passed: true, score: 5 },
      ]);
    expect(code).toBe(1);
  });

  it('answers every model, the judge included, from a script', async () => {
    const { code, stdout } = await inFolder((folder) => {
      const script = [
        { match: 'Rubric: Is it right?', answers: [{ score: 5, reason: 'yes' }] },
        { match: 'Rubric', answers: [{ score: 4, reason: 'polite' }] },
        { match: '', answers: ['Two days: https://tea.example'] },
      ];
      writeFileSync(join(folder, 'script.json'), JSON.stringify(script));
      const files = [join(EXAMPLE, 'questions.jsonl'), '-w', join(EXAMPLE, 'workflow.yaml'), '--script', 'script.json'];
      return jamjet(['eval', 'run', ...files, '--rubric', 'Is it right?', '--fail-below', '100'], { cwd: folder });
    });
    expect(stdout).toContain('✓ 2/2 rows passed (100.0%)');
    expect(code).toBe(0);
  });

  it.each([
    [['run', 'rows.jsonl', '-w', 'none.yaml'], 'none.yaml'],
    [['run', 'none.jsonl', '-w', 'double.yaml'], 'none.jsonl: no such file'],
    [['run', 'tools.mjs', '-w', 'double.yaml'], 'tools.mjs: line 1 is not JSON'],
    [[...RUN, '-a', 'is it fine?'], '--assert "is it fine?" cannot be read'],
    [[...RUN, '-a', 'sentiment(output)'], 'uses the function "sentiment", which does not exist'],
    [[...RUN, '--fail-below', '101'], '--fail-below 101 is not a percentage'],
    [[...RUN, '--rubric', 'r', '--min-score', '6'], '--min-score is at most 5'],
    [[...RUN, '--rubric', 'r', '--model', 'gpt-4o'], 'set OPENAI_API_KEY'],
    [[...RUN, '--rubric', 'r', '--model', 'sphinx'], 'the model "sphinx" is not known'],
    [[...RUN, '-o', 'none/out.json'], 'cannot write none/out.json: no such file'],
  ])('%j is refused with a clear error', async (args, message) => {
    const { code, stderr } = await evaluated(args);
    expect(code).not.toBe(0);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
  });

  it('warns when nothing is scored', async () => {
    expect((await evaluated(RUN)).stderr).toContain('warning: no scorers');
  });
});

describe('jamjet eval compare, trajectory-diff and export', () => {
  const result = (row_id: string, passed: boolean, trajectory: readonly string[] = []) => ({ row_id, passed, trajectory });
  const files = (folder: string) => {
    writeFileSync(join(folder, 'a.json'), JSON.stringify([result('x', true, ['search']), result('y', false)]));
    writeFileSync(join(folder, 'b.json'), JSON.stringify([result('x', false, ['search', 'add']), result('y', true)]));
    writeFileSync(join(folder, 'bad.json'), '[{"row_id": 1}]');
  };
  const compared = (args: readonly string[]) =>
    inFolder((folder) => {
      files(folder);
      return jamjet(['eval', ...args], { cwd: folder });
    });

  it('show regressions, and fail on them if asked to', async () => {
    const { code, stdout } = await compared(['compare', 'a.json', 'b.json']);
    expect(code).toBe(0);
    expect(stdout).toContain('regressions (1)  x');
    expect(stdout).toContain('improvements (1)  y');
    expect(stdout).toContain('2 rows compared; p = 1.000: may be chance');
    expect((await compared(['compare', 'a.json', 'b.json', '--fail-on-regression'])).code).toBe(1);
    expect((await compared(['compare', 'a.json', 'a.json', '--fail-on-regression'])).code).toBe(0);
    const { stderr } = await compared(['compare', 'a.json', 'bad.json']);
    expect(stderr).toContain('bad.json: entry 1 is no result');
  });

  it('show how tools have changed, and fail unless told not to', async () => {
    const { code, stdout } = await compared(['trajectory-diff', 'a.json', 'b.json', '--row-id', 'x']);
    expect(code).toBe(1);
    expect(stdout).toContain('added   add');
    expect((await compared(['trajectory-diff', 'a.json', 'b.json', '--row-id', 'x', '--no-fail-on-change'])).code).toBe(0);
    expect((await compared(['trajectory-diff', 'a.json', 'b.json', '--row-id', 'y', '--json'])).code).toBe(0);
    expect((await compared(['trajectory-diff', 'a.json', 'b.json'])).stderr).toContain('name the row with --row-id');
  });

  it('write a table', async () => {
    const { stdout } = await evaluated([...RUN, '-o', 'out.json'], async (folder) => {
      const exported = await jamjet(['eval', 'export', 'out.json', '-f', 'csv'], { cwd: folder });
      expect(exported.stdout).toMatch(/^row_id,passed,score,duration_ms,cost_usd,error\none,yes,,\d+,0,\n/);
    });
    expect(stdout).toContain('2/3 rows passed');
  });
});

describe('jamjet eval run on a server', () => {
  const server = runtimeServer({ double: ({ n }: { n: number }) => 2 * n });

  it('runs a registered workflow', async () => {
    const { jamjet: remote, folder } = server();
    writeFileSync(join(folder, 'double.yaml'), WORKFLOW);
    writeFileSync(join(folder, 'rows.jsonl'), ROWS.map((row) => JSON.stringify(row)).join('\n'));
    const registered = await remote('eval run rows.jsonl -w double.yaml').ended;
    expect(registered.stdout).toContain('✓ 3/3 rows passed');
    const { code, stdout } = await remote(['eval', 'run', 'rows.jsonl', '-w', 'double', ...EQUAL, '--fail-below', '60']).ended;
    expect(stdout).toContain('✗ 2/3 rows passed (66.7%)');
    expect(code).toBe(0);
  });

  it('says what is missing', async () => {
    const { stderr, code } = await server().jamjet('eval run rows.jsonl -w nothing').ended;
    expect(code).toBe(1);
    expect(stderr).toContain('workflow nothing');
  });
});
