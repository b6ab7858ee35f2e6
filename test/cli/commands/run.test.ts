import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../machines/json.ts';
import { JamjetClient } from '../../../src/client/index.ts';
import { startServer } from '../../../src/server/compose.ts';
import { readConfig } from '../../../src/server/config.ts';
import { DECLINED, DOUBLING, HANGING, PAID, PARENT, RETRYING, REVIEWED, TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';
import { inFolder, jamjet, TerminalSession } from '../terminal-session.ts';

const server = runtimeServer(TOOLS);

function save(folder: string, document: JsonObject): string {
  const file = `${String(document.workflow_id)}.json`;
  writeFileSync(join(folder, file), JSON.stringify(document));
  return file;
}

describe('jamjet run on a server', () => {
  it('registers the file, follows the execution and prints the final state', async () => {
    const file = save(server().folder, DOUBLING);
    const { code, stdout } = await server().jamjet(['run', file, '--input', '{"n": 21}']).ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(
        `^doubling 1 {2}exec_[0-9a-f]{32} {2}on ${server().url}\n {2}▸ double .* attempt 0 {2}started\n {2}✓ double +[\\d.]+ m?s {2}attempt 0\n\n✓ completed in .+, 1 step\n\n\\{\n {2}"n": 42\n\\}\n$`,
      ),
    );
  });

  it('runs a registered workflow by its id', async () => {
    await server().client.registerWorkflow(DOUBLING);
    expect((await server().jamjet(['run', 'doubling', '-i', '{"n": 1}', '--workflow-version', '1']).ended).code).toBe(0);
    const unknown = await server().jamjet('run unknown-workflow').ended;
    expect(unknown).toMatchObject({ code: 1, stdout: '' });
    expect(unknown.stderr).toMatch(
      /^error: not found: workflow unknown-workflow\n`jamjet workflows list` lists the workflows; `jamjet register FILE` registers one/,
    );
  });

  it('accepts the options of the upstream CLI', async () => {
    const file = save(server().folder, DOUBLING);
    writeFileSync(join(server().folder, 'input.json'), '{"n": 4}');
    const waited = await server().jamjet(['run', file, '--input-file', 'input.json', '--stream']).ended;
    expect(waited).toMatchObject({ code: 0, stdout: expect.stringContaining('"n": 8') });
    const left = await server().jamjet(['run', file, '--input-file=input.json', '--no-wait']).ended;
    expect(left).toMatchObject({ code: 0, stdout: expect.stringMatching(/^exec_[0-9a-f]{32}\n$/) });
    const both = await server().jamjet(['run', file, '--stream', '--no-wait']).ended;
    expect(both).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('give --stream or --no-follow (--no-wait), not both'),
    });
    const before = await server().jamjet(['--json', '--runtime', server().url, 'run', file, '-i', '{"n": 1}']).ended;
    expect(JSON.parse(before.stdout)).toMatchObject({ status: 'completed' });
  });

  it('registers all workflows of a file, and runs the given one', async () => {
    const one = (id: string) =>
      `  ${id}: { nodes: { double: { next: end } }, schedule: { cron: "0 3 * * *", enabled: false } }\n`;
    writeFileSync(
      join(server().folder, 'workflows.yaml'),
      `tools: { spare: { description: d } }\nworkflows:\n${one('f1')}${one('f2')}`,
    );
    const which = await server().jamjet(['run', 'workflows.yaml']).ended;
    expect(which).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('workflows.yaml contains several workflows: name one of them\nIt has: f1, f2.'),
    });
    const { code, stdout } = await server().jamjet(['run', 'workflows.yaml', 'f2', '-i', '{"n": 21}']).ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('"n": 42') });
    expect((await server().client.workflow('f1')).workflow_id).toBe('f1');
    const deployed = await server().jamjet(['deploy', 'workflows.yaml', '--json']).ended;
    expect(JSON.parse(deployed.stdout)).toMatchObject({
      workflows: [{ workflow_id: 'f1' }, { workflow_id: 'f2' }],
      cron_jobs: [
        { name: 'f1', workflow_id: 'f1', cron_expression: '0 3 * * *', enabled: false },
        { name: 'f2', workflow_id: 'f2', enabled: false },
      ],
    });
    expect(await server().jamjet(['deploy', 'workflows.yaml', 'missing.yaml']).ended).toMatchObject({ code: 2, stdout: '' });
    expect(await server().jamjet(['validate', 'workflows.yaml']).ended).toMatchObject({ code: 0 });
  });

  it('deploys with the warnings that only the server has', async () => {
    const text = `workflow: { id: scored, version: 1.0.0 }
nodes:
  write: { type: tool, next: judge }
  judge: { type: eval, on_fail: retry_with_feedback, scorers: [{ type: custom, module: style.check }] }
`;
    writeFileSync(join(server().folder, 'scored.yaml'), text);
    const { code, stdout, stderr } = await server().jamjet(['deploy', 'scored.yaml']).ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^✓ scored 1\.0\.0 {2}revision [0-9a-f]{12}\n$/) });
    expect(stderr.match(/\[[a-z_]+\]/g)).toEqual(['[eval_never_retries]', '[scorer_needs_tool]', '[unserved_tool]']);
    expect(stderr).toContain('warning  node "judge": the scorer "style.check" is no tool of this server');
  });

  it('treats a word with slashes as an id if no such file exists', async () => {
    await server().client.registerWorkflow({ ...DOUBLING, workflow_id: 'team/doubling' });
    const { code, stdout } = await server().jamjet(['run', 'team/doubling', '-i', '{"n": 1}', '--no-follow']).ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^exec_/) });
  });

  it('treats a path as a file, not as an id', async () => {
    const { code, stderr } = await server().jamjet('run ..').ended;
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'error: ..: is a folder, not a file\n' });
  });

  it('shows every attempt', async () => {
    const file = save(server().folder, RETRYING);
    const { stdout } = await server().jamjet(['run', file]).ended;
    expect(stdout).toMatch(/✗ flaky .*attempt 0 {2}try again\n.*↻ flaky .*next attempt in .*\n.*\n {2}✓ flaky .*attempt 1\n/);
  });

  it('fails if the execution fails, and names the node', async () => {
    const file = save(server().folder, DECLINED);
    const { code, stdout } = await server().jamjet(['run', file]).ended;
    expect(code).toBe(1);
    expect(stdout).toMatch(/✗ failed in .*\n {2}charge: card declined\n\n/);
  });

  it.each(['--json', '--output json'])('prints one document with %s', async (option) => {
    const file = save(server().folder, DECLINED);
    const { code, stdout, stderr } = await server().jamjet(['run', file, ...option.split(' ')]).ended;
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    const report = JSON.parse(stdout) as { execution_id: string; final_state: JsonObject; events: { type: string }[] };
    expect(report).toMatchObject({
      status: 'failed',
      steps_executed: 0,
      final_state: { execution_id: report.execution_id, workflow_id: 'declined' },
    });
    expect(report.events.at(-1)?.type).toBe('workflow_failed');
  });

  it('prints only the id with --no-follow', async () => {
    const file = save(server().folder, DOUBLING);
    const { code, stdout, stderr } = await server().jamjet(['run', file, '-i', '{"n": 1}', '--no-follow']).ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^exec_[0-9a-f]{32}\n$/);
    expect(stderr).toBe(`Follow it with: jamjet run --resume ${stdout}`);
  });

  it('runs one execution with a key, and follows it if asked to', async () => {
    const { jamjet, client } = server();
    const ir = {
      workflow_id: 'ship',
      version: '1',
      nodes: { hold: { kind: { type: 'wait', correlation_key: 'go' } } },
      edges: [],
    };
    await client.registerWorkflow(ir);
    const id = (await jamjet('run ship --key order-42 --no-follow').ended).stdout.trim();
    expect((await client.execution(id)).key).toBe('order-42');
    expect((await jamjet('run ship --key order-42 --if-running return --no-follow').ended).stdout.trim()).toBe(id);
    expect((await jamjet(`inspect ${id}`).ended).stdout).toMatch(/\nkey +order-42\n/);
    const failures = [
      ['run ship --key order-42 --no-follow', 1, `execution ${id} has the key 'order-42' and has not ended`],
      ['run ship --if-running return', 2, '--if-running needs --key'],
      ['run ship --key a --if-running replace', 2, '--if-running "replace" is not return'],
      [`run --resume ${id} --key a`, 2, '--key is for a new execution and cannot be combined with --resume'],
    ] as const;
    for (const [line, code, stderr] of failures) {
      const ended = await jamjet(line).ended;
      expect([line, ended.code]).toEqual([line, code]);
      expect(ended.stderr).toContain(stderr);
    }
  });

  it('stops following on Ctrl-C, and can follow again', async () => {
    const file = save(server().folder, REVIEWED);
    const left = server().jamjet(['run', file, '-i', '{"n": 2}']);
    await left.shows('waiting for approval');
    left.signals.emit('SIGINT');
    const { code, stdout } = await left.ended;
    expect(code).toBe(130);
    const id = /exec_[0-9a-f]{32}/.exec(stdout)?.[0] ?? '';
    expect(stdout).toContain(`◆ ${id} is paused: interrupted. It continues on ${server().url}.`);
    expect(stdout).toContain(`jamjet run --resume ${id}\n`);
    const again = server().jamjet(`run --resume ${id}`);
    await again.shows('waiting for approval');
    await server().client.approve(id, { decision: 'approved' });
    expect((await again.ended).code).toBe(0);
  });

  it('stops following after the timeout', async () => {
    const file = save(server().folder, HANGING);
    const { code, stdout } = await server().jamjet(['run', file, '--timeout', '1']).ended;
    expect(code).toBe(3);
    expect(stdout).toMatch(/is running: stopped following after the timeout/);
  });

  it('asks at the terminal, and shows the state on request', async () => {
    const file = save(server().folder, REVIEWED);
    const run = server().jamjet(['run', file, '-i', '{"n": 3}'], { tty: true });
    await run.shows('Approve review?');
    expect(run.screen).toContain('    Double it?\n');
    run.type('s');
    await run.shows('"n": 3');
    run.type('y go ahead');
    const { code } = await run.ended;
    expect(code).toBe(0);
    expect(run.screen).toMatch(/✓ review .*approved by ann: go ahead\n/);
    expect(run.screen).toContain('"n": 6');
  });

  it('withdraws the question when the approval is decided elsewhere', async () => {
    const file = save(server().folder, REVIEWED);
    const run = server().jamjet(['run', file, '-i', '{"n": 3}'], { tty: true });
    await run.shows('Approve review?');
    const id = /exec_[0-9a-f]{32}/.exec(run.screen)?.[0] ?? '';
    await server().client.approve(id, { decision: 'rejected', comment: 'no' });
    expect((await run.ended).code).toBe(1);
    expect(run.screen).toMatch(/✗ failed/);
  });

  it('follows child executions and asks for their approvals', async () => {
    await server().client.registerWorkflow(REVIEWED);
    const file = save(server().folder, PARENT);
    const run = server().jamjet(['run', file, '-i', '{"n": 3}'], { tty: true });
    await run.shows('Approve child/review?');
    run.type('yes');
    expect((await run.ended).code).toBe(0);
    expect(run.screen).toMatch(/✓ child\/double /);
  });

  it('stops following parent and child on Ctrl-C at a question', async () => {
    await server().client.registerWorkflow(REVIEWED);
    const run = server().jamjet(['run', save(server().folder, PARENT), '-i', '{"n": 3}'], { tty: true });
    await run.shows('Approve child/review?');
    run.signals.emit('SIGINT');
    expect((await run.ended).code).toBe(130);
    expect(run.screen).toMatch(/is paused: interrupted/);
  });

  it('warns that functions of the file are not available on the server', () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, 'tools.mjs'), 'export const treble = ({ n }) => ({ n: n * 3 });\n');
      writeFileSync(
        join(folder, 'flow.yaml'),
        'workflow: { id: trebling }\ntools:\n  treble: { kind: function, reference: ./tools.mjs#treble }\nnodes:\n  treble: {}\n',
      );
      const env = { DATABASE_URL: join(server().folder, '.jamjet', 'runtime.db') };
      const run = server().jamjet(['run', 'flow.yaml'], { cwd: folder, env });
      await run.shows(/▸ treble .*waiting for a worker of queue tool\n/);
      await run.shows(
        /! functions of the file \(treble\) are not available on http.*: start the server with them \(jamjet dev FILE\)/,
      );
      run.signals.emit('SIGINT');
      expect((await run.ended).code).toBe(130);
    }));

  it('continues following if the token may not decide', async () => {
    const file = save(server().folder, REVIEWED);
    const { execution_id } = await server().client.start({ workflow_id: 'reviewed', input: { n: 1 } });
    const { token } = await server().client.createToken({ role: 'viewer' });
    const run = server().jamjet(['run', file, '--resume', execution_id], { tty: true, env: { JAMJET_TOKEN: token } });
    await run.shows('Approve review?');
    run.type('y');
    await run.shows('not permitted');
    await server().client.approve(execution_id, { decision: 'approved' });
    expect((await run.ended).code).toBe(0);
  });
});

describe('jamjet run embedded', () => {
  const functions =
    'export const double = ({ n }) => ({ n: n * 2 });\nexport const hang = (_, { signal }) => new Promise((_, no) => signal.addEventListener("abort", () => no(new Error("stopped"))));\n';

  /** Runs in a folder with a workflow file and `tools.mjs`; `run` starts a session there. */
  function embedded(
    document: JsonObject,
    work: (run: ((args: readonly string[], tty?: boolean) => TerminalSession) & { folder: string }) => Promise<void>,
  ): Promise<void> {
    return inFolder((folder) => {
      const file = save(folder, document);
      writeFileSync(join(folder, 'tools.mjs'), functions);
      const run = (args: readonly string[], tty = false) =>
        new TerminalSession(['run', file, '--embedded', '--tools', 'tools.mjs', ...args], { cwd: folder, tty });
      return work(Object.assign(run, { folder }));
    });
  }

  it('needs no server', () =>
    embedded(DOUBLING, async (run) => {
      const { code, stdout, stderr } = await run(['-i', '{"n": 4}']).ended;
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/^doubling 1 {2}exec_\w+ {2}embedded on \.jamjet\/runtime\.db\n/);
      expect(stdout).toContain('"n": 8');
    }));

  it('prints the same document as a server', () =>
    embedded(DOUBLING, async (run) => {
      const here = JSON.parse((await run(['-i', '{"n": 4}', '--json']).ended).stdout) as JsonObject;
      save(server().folder, DOUBLING);
      const there = JSON.parse(
        (await server().jamjet(['run', 'doubling.json', '-i', '{"n": 4}', '--json']).ended).stdout,
      ) as JsonObject;
      expect(shapeOf(here)).toEqual(shapeOf(there));
    }));

  it('loads functions named by the workflow file', () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, 'tools.mjs'), functions);
      writeFileSync(
        join(folder, 'flow.yaml'),
        'workflow: { id: doubling-here }\ntools:\n  twice: { kind: function, reference: ./tools.mjs#double }\nnodes:\n  twice: {}\n',
      );
      const { code, stdout } = await jamjet(['run', 'flow.yaml', '--db', 'here.db', '-i', '{"n": 5}'], { cwd: folder });
      expect(code).toBe(0);
      expect(stdout).toContain('"n": 10');
    }));

  it.each([
    ['y', 0, /✓ review .*approved by terminal\n/],
    ['n too much', 1, /✗ review .*too much/],
  ])('asks for the approval: %s', (answer, code, screen) =>
    embedded(REVIEWED, async (run) => {
      const session = run(['-i', '{"n": 4}'], true);
      await session.shows('Approve review?');
      session.type(answer);
      expect((await session.ended).code).toBe(code);
      expect(session.screen).toMatch(screen);
    }),
  );

  it('asks for awaited events, and reports invalid JSON', () =>
    embedded(PAID, async (run) => {
      const session = run([], true);
      await session.shows('Event payment-received: payload');
      session.type('{amount: 5}');
      await session.shows('not JSON');
      session.type('{"amount": 5}');
      expect((await session.ended).code).toBe(0);
      expect(session.screen).toContain('"amount": 5');
    }));

  it('stops at a wait without a terminal, and continues when resumed', () =>
    embedded(REVIEWED, async (run) => {
      const { code, stdout } = await run(['-i', '{"n": 4}']).ended;
      expect(code).toBe(3);
      const id = /exec_[0-9a-f]{32}/.exec(stdout)?.[0] ?? '';
      expect(stdout).toContain(
        `◆ ${id} is paused: it waits for input, and there is no terminal. It is saved and continues when resumed.`,
      );
      expect(stdout).toContain(`jamjet run reviewed.json --tools tools.mjs --embedded --resume ${id}\n`);
      const resumed = run(['--resume', id], true);
      await resumed.shows('Approve review?');
      resumed.type('y');
      expect((await resumed.ended).code).toBe(0);
      expect(resumed.screen).toContain('"n": 8');
    }));

  it('stops at a held tool without a terminal, and names the script of the models again', () =>
    embedded({ ...DOUBLING, policy: { require_approval_for: ['double'] } }, async (run) => {
      writeFileSync(join(run.folder, 'answers.json'), '["Hello."]');
      const { code, stdout } = await run(['-i', '{"n": 4}', '--script', 'answers.json']).ended;
      expect(code).toBe(3);
      const id = /exec_[0-9a-f]{32}/.exec(stdout)?.[0] ?? '';
      expect(stdout).toContain(`◆ ${id} is running: it waits for input, and there is no terminal.`);
      expect(stdout).toContain(`jamjet run doubling.json --tools tools.mjs --script answers.json --embedded --resume ${id}\n`);
    }));

  it('stops the function on Ctrl-C, and the execution can be resumed', () =>
    embedded(HANGING, async (run) => {
      const session = run([]);
      await session.shows('started');
      session.signals.emit('SIGINT');
      const { code, stdout } = await session.ended;
      expect(code).toBe(130);
      const id = /exec_[0-9a-f]{32}/.exec(stdout)?.[0] ?? '';
      const resumed = run(['--resume', id]);
      await resumed.shows(/started[\s\S]*started/);
      resumed.signals.emit('SIGINT');
      expect((await resumed.ended).code).toBe(130);
    }));

  it('rejects a workflow whose nodes cannot be executed, before it starts', () =>
    inFolder(async (folder) => {
      const file = save(folder, DOUBLING);
      const { code, stdout, stderr } = await jamjet(['run', file, '--embedded', '-i', '{"n": 4}'], { cwd: folder });
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(
        /^error: an embedded run cannot execute all nodes: node "double" needs the function "double"\nProvide functions with --tools/,
      );
      const tools = join(folder, 'misspelt.mjs');
      writeFileSync(tools, 'export const duoble = () => ({})');
      const misspelt = await jamjet(['run', file, '--embedded', '--tools', tools, '-i', '{"n": 4}'], { cwd: folder });
      expect(misspelt.stderr).toContain('node "double" needs the function "double" (did you mean "duoble"?)\n');
    }));

  it('prints how to resume an execution with queued work', () =>
    inFolder(async (folder) => {
      const config = readConfig({ JAMJET_PORT: '0', DATABASE_URL: join(folder, 'queued.db'), JAMJET_LOG: 'off' });
      const withoutTools = await startServer({ config, auth: 'off' });
      const client = new JamjetClient({ url: withoutTools.url });
      await client.registerWorkflow(DOUBLING);
      const { execution_id: id } = await client.start({ workflow_id: 'doubling', input: { n: 4 } });
      await withoutTools.close(0);
      const { code, stdout } = await jamjet(['run', '--db', 'queued.db', '--resume', id], { cwd: folder });
      expect(code).toBe(3);
      expect(stdout).toContain(`◆ ${id} is running: no function is available for double (queue tool).`);
      expect(stdout).toContain(`jamjet run --db queued.db --resume ${id} --tools MODULE\n`);
    }));

  it('reports that the database is in use', () =>
    embedded(REVIEWED, async (run) => {
      const first = run([], true);
      await first.shows('Approve review?');
      const second = await run([]).ended;
      expect(second.code).toBe(1);
      expect(second.stderr).toMatch(/^error: .+\nOnly one runtime may open a database file/);
      first.signals.emit('SIGINT');
      expect((await first.ended).code).toBe(130);
    }));

  it('rejects a workflow with errors, each with its position', () =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, 'bad.yaml'), 'workflow: { id: bad }\nnodes:\n  a: { type: tool, next: b }\n');
      const { code, stdout, stderr } = await jamjet(['run', 'bad.yaml', '--embedded'], { cwd: folder });
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^bad\.yaml:3:\d+ {2}error {2}.*\nerror: bad\.yaml is not a valid workflow\n$/s);
    }));

  it.each([
    ['missing.mjs', /^error: missing\.mjs: no such file/],
    ['empty.mjs', /^error: .*empty\.mjs exports no function/],
  ])('reports an invalid --tools %s', (file, message) =>
    inFolder(async (folder) => {
      writeFileSync(join(folder, 'empty.mjs'), 'export {};\n');
      const { code, stderr } = await jamjet(['run', save(folder, DOUBLING), '--embedded', '--tools', file], { cwd: folder });
      expect(code).toBe(1);
      expect(stderr).toMatch(message);
    }),
  );
});

/** Keys and types, without values. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (value === null || typeof value !== 'object') return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, shapeOf(part)]));
}

describe('an embedded run without a terminal', () => {
  const ASKING = {
    workflow_id: 'asking',
    version: '1',
    nodes: {
      ask: { kind: { type: 'human_approval', description: 'Go on?', timeout_secs: 3_600 } },
      paid: { kind: { type: 'wait', correlation_key: 'paid', timeout_secs: 3_600 } },
    },
    edges: [
      { from: 'ask', to: 'paid' },
      { from: 'paid', to: 'end' },
    ],
  };
  const run = (folder: string, options: { readonly stdin?: string } = {}) => {
    writeFileSync(join(folder, 'asking.json'), JSON.stringify(ASKING));
    return jamjet(['run', 'asking.json', '--embedded'], { cwd: folder, ...options });
  };

  it('ends when it waits for a person or an event, although the wait has a timeout', () =>
    inFolder(async (folder) => {
      const { code, stdout } = await run(folder);
      expect(code).toBe(3);
      expect(stdout).toContain('is paused: it waits for input, and there is no terminal');
    }));

  it('takes the lines of standard input as answers', () =>
    inFolder(async (folder) => {
      const { code, stdout } = await run(folder, { stdin: 'what?\napproved by the book\n{"sum": 7}\n' });
      expect(code).toBe(0);
      expect(stdout).toContain('Approve ask? (y or n, optionally with a comment; s shows the state) approved by the book');
      expect(stdout).toContain('answer y or n: what? is neither');
      expect(stdout).toContain('"comment": "by the book"');
      expect(stdout).toContain('"sum": 7');
    }));

  it('ends when there are no more answers', () =>
    inFolder(async (folder) => {
      const { code, stdout } = await run(folder, { stdin: 'y\n' });
      expect(code).toBe(3);
      expect(stdout).toContain('paid');
    }));
});
