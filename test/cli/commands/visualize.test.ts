import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DOUBLING, REVIEWED, TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';
import { inFolder, jamjet } from '../terminal-session.ts';

const server = runtimeServer(TOOLS);
const FLOW = 'workflow: { id: flow }\nnodes:\n  a: { type: tool, tool_ref: t, next: b }\n  b: { type: tool, tool_ref: t }\n';
const UNKNOWN_ID = 'exec_00000000000000000000000000000000';

describe('jamjet visualize FILE', () => {
  /** Runs in a folder with a valid and an invalid file, without a server. */
  function drawn(args: readonly string[], look: (folder: string) => unknown = () => null, tty = false) {
    return inFolder(async (folder) => {
      writeFileSync(join(folder, 'flow.yaml'), FLOW);
      writeFileSync(join(folder, 'bad.yaml'), FLOW.replace('next: b', 'next: c'));
      const ended = await jamjet(['visualize', ...args], { cwd: folder, tty, env: { JAMJET_URL: 'http://127.0.0.1:9' } });
      return { ...ended, seen: look(folder) };
    });
  }

  it('prints Mermaid, or the given format', async () => {
    const mermaid = await drawn(['flow.yaml']);
    expect(mermaid).toMatchObject({ code: 0, stderr: '' });
    expect(mermaid.stdout).toMatch(/flowchart TD\n[\s\S]*n0 --> n1\n/);
    expect((await drawn(['flow.yaml', '--format', 'dot'])).stdout).toMatch(/^digraph workflow \{\n/);
    expect((await drawn(['flow.yaml', '--view', 'machine'])).stdout).toContain('stateDiagram-v2\n');
    expect(JSON.parse((await drawn(['flow.yaml', '-f', 'xstate'])).stdout)).toMatchObject({ id: 'workflow:flow', initial: 'a' });
  });

  it('writes a file in the format of its suffix', async () => {
    const svg = await drawn(['flow.yaml', '-o', 'flow.svg'], (folder) => readFileSync(join(folder, 'flow.svg'), 'utf8'));
    expect(svg).toMatchObject({ code: 0, stdout: '', stderr: 'svg written to flow.svg\n' });
    expect(svg.seen).toMatch(/^<svg /);
    const png = await drawn(['flow.yaml', '-o', 'flow.png', '--json'], (folder) => readFileSync(join(folder, 'flow.png')).length);
    expect(JSON.parse(png.stdout)).toEqual({ format: 'png', view: 'workflow', size: png.seen, file: 'flow.png' });
    const text = await drawn(['flow.yaml', '-o', 'flow.txt', '-f', 'dot'], (folder) =>
      readFileSync(join(folder, 'flow.txt'), 'utf8'),
    );
    expect(text.seen).toMatch(/^digraph /);
    const unsaid = await drawn(['flow.yaml', '-o', 'flow'], (folder) => readFileSync(join(folder, 'flow'), 'utf8'));
    expect(unsaid).toMatchObject({ code: 0, seen: expect.stringMatching(/flowchart TD/) });
  });

  it('lists characters of a bitmap that no font contains', async () => {
    await inFolder(async (folder) => {
      writeFileSync(join(folder, 'flow.yaml'), FLOW.replace('id: flow', 'id: "\u{10fffc} flow"'));
      const { code, stderr } = await jamjet(['visualize', 'flow.yaml', '-o', 'flow.png'], { cwd: folder });
      expect({ code, stderr }).toEqual({
        code: 0,
        stderr: 'no font on this machine has \u{10fffc}: each is drawn as a box\npng written to flow.png\n',
      });
    });
  });

  it('rejects a file suffix without a format', async () => {
    const ended = await drawn(['flow.yaml', '-o', 'flow.jpg'], (folder) => existsSync(join(folder, 'flow.jpg')));
    expect(ended).toMatchObject({ code: 2, stdout: '', seen: false });
    expect(ended.stderr).toBe(
      'error: no format has the suffix .jpg: give --format, or use .mmd, .mermaid, .dot, .gv, .svg, .png, .json, .html, .htm\n',
    );
  });

  it('reports invalid arguments', async () => {
    const bad = await drawn(['bad.yaml']);
    expect(bad).toMatchObject({ code: 1, stdout: '' });
    expect(bad.stderr).toMatch(/^bad\.yaml:3:\d+ {2}error .*"c"[\s\S]*error: bad\.yaml is not a valid workflow/);
    const failures = [
      [['flow.yaml', '--format', 'gif'], /--format "gif" is not one of mermaid, dot, svg/],
      [['flow.yaml', '--view', 'flat'], /--view "flat" is not one of workflow, machine/],
      [['flow.yaml', '--at', '3'], /--at requires the id of an execution/],
      [['flow.yaml', '--workflow-version', '1'], /--workflow-version requires a registered workflow/],
      [[`exec_${'0'.repeat(32)}`, '--workflow-version', '1'], /--workflow-version requires a registered workflow/],
      [['none.yaml'], /none\.yaml: no such file/],
      [['./none'], /\.\/none: no such file/],
    ] as const;
    for (const [args, stderr] of failures) {
      const ended = await drawn(args);
      expect([args, ended.code, ended.stdout]).toEqual([args, 2, '']);
      expect(ended.stderr).toMatch(stderr);
    }
  });

  it('reports a missing folder', async () => {
    const ended = await drawn(['flow.yaml', '-o', 'none/flow.svg']);
    expect(ended).toMatchObject({ code: 1, stdout: '', stderr: 'error: none/flow.svg: the folder does not exist\n' });
  });

  it('suggests other formats for a diagram that is too large', async () => {
    await inFolder(async (folder) => {
      const nodes = Array.from({ length: 2_001 }, (_, i) => `  n${i}: { type: tool, tool_ref: t }\n`);
      writeFileSync(join(folder, 'huge.yaml'), `workflow: { id: huge }\nnodes:\n${nodes.join('')}`);
      const { code, stderr } = await jamjet(['visualize', 'huge.yaml', '-f', 'svg'], { cwd: folder });
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(
          / are too many to draw; the limits are 2000 and 6000\nUse a text format, which needs no layout: --format mermaid, dot or xstate\.\n$/,
        ),
      ]);
    });
  });

  it('does not print a bitmap to a terminal', async () => {
    const refused = await drawn(['flow.yaml', '-f', 'png'], () => null, true);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('a PNG is not printed to a terminal\nWrite it to a file: add -o diagram.png.');
  });
});

describe('jamjet visualize --open', () => {
  it('opens the file with the program of the platform, and reports if there is none', async () => {
    await inFolder(async (folder) => {
      writeFileSync(join(folder, 'flow.yaml'), FLOW);
      mkdirSync(join(folder, 'bin'));
      const opener = join(folder, 'bin', process.platform === 'darwin' ? 'open' : 'xdg-open');
      const args = ['visualize', 'flow.yaml', '-o', 'flow.html', '--open'];
      const env = { PATH: join(folder, 'bin') };
      const without = await jamjet(args, { cwd: folder, env });
      expect(without.code).toBe(1);
      expect(without.stderr).toMatch(/cannot open the file: (xdg-)?open is not available\nThe diagram is in .*flow\.html\./);
      writeFileSync(
        opener,
        `#!/bin/sh\necho "$1" > ${join(folder, 'opened')}.part && /bin/mv ${join(folder, 'opened')}.part ${join(folder, 'opened')}\n`,
      );
      chmodSync(opener, 0o755);
      expect(await jamjet(args, { cwd: folder, env })).toMatchObject({ code: 0, stderr: 'html written to flow.html\n' });
      await expect.poll(() => existsSync(join(folder, 'opened'))).toBe(true);
      expect(readFileSync(join(folder, 'opened'), 'utf8')).toBe(`${join(folder, 'flow.html')}\n`);
    });
  });
});

describe('jamjet visualize WORKFLOW|EXECUTION', () => {
  it('draws workflows and executions of a server', async () => {
    const { client, jamjet: command, folder } = server();
    await client.registerWorkflow(DOUBLING);
    expect((await command('visualize doubling').ended).stdout).toContain('title: "doubling v1"');
    expect((await command('visualise doubling --workflow-version 1 -f dot').ended).stdout).toMatch(/^digraph /);
    await client.registerWorkflow({ ...DOUBLING, workflow_id: 'team/doubling v2?' });
    expect((await command(['visualize', 'team/doubling v2?']).ended).stdout).toContain('title: "team/doubling v2? v1"');
    const { execution_id } = await client.start({ workflow_id: 'doubling', input: { n: 2 } });
    await client.execution(execution_id, { waitMs: 10_000 });
    const done = await command(`visualize ${execution_id}`).ended;
    expect(done.stdout).toMatch(/double.*done.*:::done/);
    expect((await command(`visualize ${execution_id.slice(5)} --at 1`).ended).stdout).not.toContain(':::done');
    expect((await command(`visualize ${execution_id} -o run.png`).ended).code).toBe(0);
    expect(readFileSync(join(folder, 'run.png')).subarray(1, 4).toString()).toBe('PNG');
  });

  it('lists characters that no font of the server contains', async () => {
    const { client, jamjet: command, url } = server();
    await client.registerWorkflow({ ...DOUBLING, workflow_id: '\u{10fffc}' });
    expect((await command('visualize \u{10fffc} -o unknown.png').ended).stderr).toBe(
      `no font on ${url} has \u{10fffc}: each is drawn as a box\npng written to unknown.png\n`,
    );
    expect((await command('visualize \u{10fffc} -o unknown.svg').ended).stderr).toBe('svg written to unknown.svg\n');
  });

  it('reports errors of the server', async () => {
    const { client, jamjet: command } = server();
    await client.registerWorkflow(REVIEWED);
    const { execution_id } = await client.start({ workflow_id: 'reviewed', input: { n: 1 } });
    const failures = [
      [`visualize ${execution_id} --at 99`, /^error: at must not be beyond the log, which has \d events/],
      [`visualize ${UNKNOWN_ID}`, /^error: not found: execution exec_0+\n.*jamjet ls/],
      ['visualize unknown-flow', /^error: not found: workflow unknown-flow/],
    ] as const;
    for (const [line, stderr] of failures) {
      const ended = await command(line).ended;
      expect([line, ended.code, ended.stdout]).toEqual([line, 1, '']);
      expect(ended.stderr).toMatch(stderr);
    }
  });
});
