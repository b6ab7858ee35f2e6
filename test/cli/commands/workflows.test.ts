import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DOUBLING, TOOLS } from '../flows.ts';
import { runtimeServer } from '../runtime-server.ts';

const server = runtimeServer(TOOLS);

function write(file: string, text: string): void {
  writeFileSync(join(server().folder, file), text);
}

const flow = (id: string, message: string): string => `workflow: { id: ${id}, version: 1.0.0 }
nodes:
  ask: { type: human_approval, message: "${message}", on_approved: end, on_rejected: end }
`;

describe('jamjet register', () => {
  it('registers the workflows of all files, without their schedules', async () => {
    write('a.yaml', flow('reg-a', 'A?'));
    write(
      'b.yaml',
      'workflows:\n  reg-b:\n    schedule: { cron: "0 8 * * *" }\n    nodes: { b: { type: tool, tool_ref: double } }\n',
    );
    const { code, stdout, stderr } = await server().jamjet('register a.yaml b.yaml').ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^✓ reg-a 1\.0\.0 {2}revision [0-9a-f]{12}\n✓ reg-b 0\.1\.0 {2}revision [0-9a-f]{12}\n$/);
    expect(stderr).toContain('the schedule of reg-b is not created: `jamjet deploy` creates it');
    expect((await server().client.cron.list()).cron_jobs.map(({ name }) => name)).not.toContain('reg-b');
    const json = await server().jamjet('register a.yaml --json').ended;
    expect(JSON.parse(json.stdout)).toMatchObject({ workflows: [{ workflow_id: 'reg-a', version: '1.0.0' }] });
  });

  it('registers nothing if one of the files has an error', async () => {
    write('good.yaml', flow('reg-good', 'Good?'));
    write('bad.yaml', 'workflow: { id: bad }\nnodes:\n  a: { type: tol }\n');
    const { code, stdout, stderr } = await server().jamjet('register good.yaml bad.yaml').ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^bad\.yaml:3:\d+ {2}error/m);
    expect((await server().jamjet('workflows get reg-good').ended).code).toBe(1);
  });
});

describe('jamjet workflows', () => {
  it('list shows the latest version of each, and all revisions of one', async () => {
    write('list.yaml', flow('listed', 'First?'));
    await server().jamjet('register list.yaml').ended;
    write('list.yaml', flow('listed', 'Second?'));
    await server().jamjet('register list.yaml').ended;
    const all = (await server().jamjet('workflows list').ended).stdout;
    expect(all).toMatch(/^WORKFLOW +VERSION +REVISION +REGISTERED +BY\n/);
    expect(all).toMatch(/^listed +1\.0\.0 +[0-9a-f]{12} +.+ +ann$/m);
    const one = (await server().jamjet('workflows list listed').ended).stdout.split('\n');
    expect(one[1]).toMatch(/^● {2}1\.0\.0 +[0-9a-f]{12} +.+ann/);
    expect(one[2]).toMatch(/^ {3}1\.0\.0 +[0-9a-f]{12} +.+ann/);
    expect(await server().jamjet('workflows list nothing').ended).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: not found: workflow nothing\n/),
    });
  });

  it('get prints a document that other commands read, as YAML and as JSON', async () => {
    write('get.yaml', flow('got', 'Really?'));
    await server().jamjet('register get.yaml').ended;
    const yaml = await server().jamjet('workflows get got').ended;
    expect(yaml.stderr).toMatch(/^got 1\.0\.0 \(revision [0-9a-f]{12}\), registered .+ by ann\n$/);
    write('copy.yaml', yaml.stdout);
    expect((await server().jamjet('workflows diff copy.yaml --exit-code').ended).code).toBe(0);
    const json = await server().jamjet('workflows get got 1.0.0 --format json').ended;
    expect(JSON.parse(json.stdout)).toMatchObject({ workflow_id: 'got', nodes: { ask: { kind: { type: 'human_approval' } } } });
    const whole = await server().jamjet('workflows get got --json').ended;
    expect(JSON.parse(whole.stdout)).toMatchObject({ registered_by: 'ann', versions: [{ version: '1.0.0' }] });
    expect((await server().jamjet('workflows get got --json --format yaml').ended).code).toBe(2);
    expect((await server().jamjet('workflows get got 9.9.9').ended).code).toBe(1);
  });

  it('diff compares a file with what is registered, and versions with each other, by node', async () => {
    write('diff.yaml', flow('diffed', 'First?'));
    const [before] = JSON.parse((await server().jamjet('register diff.yaml --json').ended).stdout).workflows;
    write('diff.yaml', `${flow('diffed', 'Second?')}  then: { type: tool, tool_ref: double }\n`);
    const ofFile = await server().jamjet('workflows diff diff.yaml').ended;
    expect(ofFile.code).toBe(0);
    expect(ofFile.stdout).toContain(
      '~ node ask (human_approval)\n    ~ /kind/description  First? → Second?\n+ node then (tool)\n',
    );
    expect((await server().jamjet('workflows diff diff.yaml --exit-code').ended).code).toBe(1);
    await server().jamjet('register diff.yaml').ended;
    const last = await server().jamjet('workflows diff diffed').ended;
    expect(last.stdout).toContain('First? → Second?');
    const byRevision = await server().jamjet(`workflows diff diffed 1.0.0 ${before.revision.slice(0, 8)} --json`).ended;
    expect(JSON.parse(byRevision.stdout)).toMatchObject([{ nodes: [{ id: 'then', change: 'removed' }, { id: 'ask' }] }]);
  });

  it('diff says when there is nothing to compare with', async () => {
    await server().client.registerWorkflow({ ...DOUBLING, workflow_id: 'sole' });
    const { code, stderr } = await server().jamjet('workflows diff sole').ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: nothing was registered for sole before revision [0-9a-f]{12}\n/);
    expect((await server().jamjet('workflows diff sole 1 2 3').ended).code).toBe(2);
  });
});
