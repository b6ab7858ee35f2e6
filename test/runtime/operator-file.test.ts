import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { mcpServersOf, readOperatorFile } from '../../src/server/operator-file.ts';

const env = { TOKEN: 't0k3n' };

function file(text: string) {
  const folder = mkdtempSync(join(tmpdir(), 'jamjet-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'jamjet.toml');
  writeFileSync(path, text);
  return { path, isRequired: true, env };
}

const problemsOf = (text: string): Promise<string> =>
  readOperatorFile(file(text)).then(
    () => '',
    (error: Error) => error.message,
  );

it('provides MCP servers to their tenants, with variables of the environment', async () => {
  const settings = await readOperatorFile(
    file(`
[mcp.servers.web]
url = "https://mcp.example.com/mcp"
headers = { Authorization = "Bearer \${TOKEN}" }
tenants = ["acme"]

[mcp.servers.files]
command = "npx"
args = ["-y", "files"]
env = { KEY = "\${TOKEN}" }
`),
  );
  const web = { url: 'https://mcp.example.com/mcp', headers: { Authorization: 'Bearer t0k3n' }, args: [], env: {} };
  const files = { command: 'npx', headers: {}, args: ['-y', 'files'], env: { KEY: 't0k3n' } };
  expect(mcpServersOf(settings, 'acme')).toEqual({ web, files });
  expect(mcpServersOf(settings, 'other')).toEqual({ files });
});

it('names models, as JAMJET_MODELS does', async () => {
  const { models } = await readOperatorFile(
    file(`
[models]
fast = "openai/gpt-4o-mini"

[models.house]
provider = "openai-compatible"
model = "mistral-7b"
base_url = "http://\${TOKEN}:8000/v1"
api_key_env = "TOKEN"
temperature = 0.2
`),
  );
  expect(models).toEqual({
    fast: { provider: 'openai', model: 'gpt-4o-mini' },
    house: {
      provider: 'openai-compatible',
      model: 'mistral-7b',
      baseUrl: 'http://t0k3n:8000/v1',
      apiKeyVariable: 'TOKEN',
      apiKey: 't0k3n',
      temperature: 0.2,
    },
  });
  expect(await problemsOf('[models]\nfast = "gpt-4o"')).toContain('models: the provider of "fast" must be one of openai');
  expect(await problemsOf('[models.x]\nprovider = "openai"\nmodel = "m"\nkey = "k"')).toContain('unknown key "key"');
  expect(await problemsOf('models = 3')).toContain('models must be a table');
});

it('need not exist unless it is named', async () => {
  const path = join(tmpdir(), 'no-such-folder', 'jamjet.toml');
  expect(await readOperatorFile({ path, isRequired: false, env })).toEqual({ mcpServers: [], models: {} });
  await expect(readOperatorFile({ path, isRequired: true, env })).rejects.toThrow(`cannot read ${path}: ENOENT`);
});

it.each([
  ['[mcp.servers.s]\nurl = "u"\ncommand = "c"', 'mcp.servers.s must have either a url or a command'],
  ['[mcp.servers.s]', 'mcp.servers.s must have either a url or a command'],
  ['[mcp.servers.s]\nurl = "u"\ntransport = "stdio"', 'mcp.servers.s.transport does not fit its url'],
  ['[mcp.servers.s]\nurl = "u"\ntransport = "pigeon"', 'mcp.servers.s.transport must be one of'],
  ['[mcp.servers.s]\nurl = 5', 'mcp.servers.s.url must be a text'],
  ['[mcp.servers.s]\nurl = "u"\nargs = "x"', 'mcp.servers.s.args must be a list of texts'],
  ['[mcp.servers.s]\nurl = "u"\nheader = {}', 'mcp.servers.s.header is not a known key'],
  ['[mcp.servers.s]\nurl = "\\u0024{NONE}"', 'mcp.servers.s.url needs the variable NONE, which is not set'],
  ['[mcp]\nservers = 5', 'mcp.servers must be a table'],
  ['[mcp', 'jamjet.toml: '],
])('%j prevents the start', async (text, problem) => expect(await problemsOf(text)).toContain(problem));
