import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { JamjetClient } from '../../src/client/index.ts';
import { type Program, program } from '../support/program.ts';
import { temporaryFolder } from '../support/server.ts';

const JAMJET = resolve('bin/jamjet.js');

function jamjet(args: readonly string[], folder: string): Program {
  return program(process.execPath, [JAMJET, ...args], folder);
}

const WORKFLOW = `workflow: { id: greet, version: 0.1.0 }
tools:
  compose: { kind: function, reference: "./tools.ts#compose" }
  hold: { kind: function, reference: "./tools.ts#hold" }
nodes:
  compose: { next: end }
`;
const HOLDING = `workflow: { id: holding, version: 0.1.0 }
nodes:
  hold: { type: tool, tool_ref: hold, next: end }
`;
/** `hold` answers once a file is there; so the test decides how long it runs. */
const TOOLS = `
import { watch, existsSync } from 'node:fs';
import { text } from './text.ts';
interface Named { readonly name: string }
export const compose = ({ name }: Named) => ({ greeting: text(name) });
export const hold = async (): Promise<{ code: string }> => {
  const began = text('began');
  const watcher = watch('.');
  await new Promise<void>((done) => {
    watcher.on('change', () => existsSync('go') && done());
    if (existsSync('go')) done();
  });
  watcher.close();
  return { code: began };
};
`;
const text = (greeting: string): string => `export const text = (name: string): string => \`${greeting} \${name}\`;\n`;

describe('jamjet dev FILE --watch', () => {
  it('provides the tools of the files, and takes edits without a restart; a broken one changes nothing', async () => {
    const folder = temporaryFolder(onTestFinished);
    const save = (file: string, content: string) => writeFileSync(join(folder, file), content);
    save('greet.yaml', WORKFLOW);
    save('holding.yaml', HOLDING);
    save('tools.ts', TOOLS);
    save('text.ts', text('Hello'));
    const dev = jamjet(['dev', 'greet.yaml', 'holding.yaml', '--watch', '--port', '0'], folder);
    await dev.shows(/workflows +greet 0\.1\.0, holding 0\.1\.0 {2}\(reloaded when files change\)\n {2}tools +compose, hold\n/);
    const [url = ''] = await dev.shows(/http:\/\/\S+/);
    await dev.shows(/Ctrl-C/);
    const client = new JamjetClient({ url, token: readFileSync(join(folder, '.jamjet', 'token'), 'utf8').trim() });
    const greeting = async (): Promise<unknown> => {
      const { execution_id: id } = await client.start({ workflow_id: 'greet', input: { name: 'Ada' } });
      return (await client.execution(id, { waitMs: 60_000 })).state;
    };
    expect(await greeting()).toMatchObject({ greeting: 'Hello Ada' });

    const { execution_id: held } = await client.start({ workflow_id: 'holding' });
    await expect.poll(async () => (await client.events(held)).map(({ type }) => type)).toContain('node_started');

    save('text.ts.new', text('Servus'));
    renameSync(join(folder, 'text.ts.new'), join(folder, 'text.ts'));
    await dev.shows(/↻ reloaded text\.ts: tools compose, hold\n/);
    expect(await greeting()).toMatchObject({ greeting: 'Servus Ada' });

    save('greet.yaml', WORKFLOW.replace('0.1.0', '0.2.0'));
    await dev.shows(/↻ reloaded greet\.yaml: greet 0\.2\.0 \(revision [0-9a-f]{12}\)\n/);

    save('text.ts', 'export const text = (name: string): string => `Grüß ${;\n');
    await dev.warns(/error: text\.ts:1:\d+: .+\ntext\.ts is not reloaded: the version before stays in use\n/);
    expect(await greeting()).toMatchObject({ greeting: 'Servus Ada' });

    save('text.ts', text('Grüß'));
    await dev.shows(/reloaded text\.ts[\s\S]*reloaded greet\.yaml[\s\S]*reloaded text\.ts/);
    expect(await greeting()).toMatchObject({ greeting: 'Grüß Ada' });

    save('greet.yaml', WORKFLOW.replace('next: end', 'next: nowhere'));
    await dev.warns(/greet\.yaml:6:\d+ {2}error {2}.+\n.+\ngreet\.yaml is not reloaded/);

    save('go', '');
    // It ends with the code it began with.
    expect(await client.execution(held, { waitMs: 60_000 })).toMatchObject({
      status: 'completed',
      state: { code: 'Hello began' },
    });
    dev.kill('SIGINT');
    expect(await dev.ended).toEqual({ code: 0, signal: null });
    expect(readFileSync(join(folder, 'text.ts'), 'utf8')).toContain('Grüß');
  });
});
