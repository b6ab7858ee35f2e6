import { describe, expect, it } from 'vitest';
import { jamjet } from './terminal-session.ts';

describe('an invalid command line', () => {
  it.each([
    ['rnu', 'unknown command "rnu"', 'Did you mean `jamjet run`?'],
    ['frobnicate', 'unknown command "frobnicate"', 'jamjet --help lists the commands.'],
    ['--json', 'unknown option --json before a command', 'jamjet --help lists the commands.'],
    ['--json frobnicate', 'unknown option --json before a command', 'jamjet --help lists the commands.'],
    ['--frobnicate x ls', 'unknown option --frobnicate for `jamjet ls`', 'jamjet ls --help shows the options.'],
    ['--api-key jj_1 ls', 'unknown option --api-key for `jamjet ls`', 'Set JAMJET_TOKEN instead.'],
    ['--runtime ftp://host jobs list', '--runtime "ftp://host" is not an http:// or https:// URL', null],
    ['resume exec_1 --event a --retry', 'give only one of an event, new budgets, and --retry', null],
    ['resume exec_1 --tokens many', '--tokens "many" is not a whole number from 0 to 999999999999999', null],
    ['resume exec_1 --cost-usd -1', '--cost-usd needs a value', 'jamjet resume --help shows the options.'],
    ['run a --input {} --input-file b.json', 'give --input or --input-file, not both', null],
    ['run a --input-file missing.json', '--input-file @missing.json: no such file', null],
    ['inspect exec_1 --events --at 3', /^error: --events and --state cannot be combined with --stately or --at/, null],
    ['token', 'jamjet token needs one of create, list, revoke', null],
    ['token --role viewer', 'jamjet token needs one of create, list, revoke', null],
    ['token creat', 'unknown command "token creat"', 'Did you mean `jamjet token create`?'],
    ['run --inptu {}', 'unknown option --inptu for `jamjet run`', 'Did you mean --input?'],
    ['run --frobnicate', 'unknown option --frobnicate for `jamjet run`', 'jamjet run --help shows the options.'],
    ['run a b', 'unexpected argument "b"', 'A second word selects a workflow of a file that contains several.'],
    ['run a b c', 'unexpected argument "c"', 'jamjet run --help shows the options.'],
    ['run a --input', '--input needs a value', 'jamjet run --help shows the options.'],
    ['ls --json=yes', '--json takes no value', 'jamjet ls --help shows the options.'],
    ['inspect', 'an argument is missing: jamjet inspect ID', 'jamjet inspect --help shows the options.'],
    [
      'cron create nightly',
      'an argument is missing: jamjet cron create NAME EXPRESSION',
      'jamjet cron create --help shows the options.',
    ],
    [
      'webhooks replay',
      'an argument is missing: jamjet webhooks replay ID [DELIVERY]',
      'jamjet webhooks replay --help shows the options.',
    ],
    ['fork exec_1', 'give --at SEQUENCE or --node NODE', null],
    ['jobs start', '--action is missing', 'jamjet jobs start --help shows the options.'],
    ['ls --limit many', '--limit "many" is not a whole number from 1 to 1000', null],
    ['ls --limit 1001', '--limit "1001" is not a whole number from 1 to 1000', null],
    ['ls --runtime ftp://host', '--runtime "ftp://host" is not an http:// or https:// URL', null],
    ['approve exec_1 --decision maybe', '--decision "maybe" is not one of approved, rejected', null],
    ['event exec_1', 'the correlation key is missing', 'jamjet event ID KEY --data JSON'],
    ['resume exec_1 --data {}', '--data and --idempotency-key require --event KEY', null],
    ['event exec_1 a --event b', 'two correlation keys: give KEY or --event, not both', 'jamjet event ID KEY --data JSON'],
    ['run', 'name a workflow file or a registered workflow to run', 'jamjet run --help shows examples.'],
    ['run a --output yaml', '--output "yaml" is not one of text, json', null],
    ['run a --timeout 0', '--timeout "0" is not a whole number from 1 to 2000000', null],
    ['run a.yaml --workflow-version 2', '--workflow-version requires a registered workflow', null],
    ['run --resume exec_1 --workflow-version 2', '--workflow-version requires a registered workflow', null],
    ['run a --resume exec_1 --input {}', '--input starts a new execution and cannot be combined with --resume', null],
    ['run a --embedded --runtime http://localhost:1', 'give --embedded (or --db, or --script) or --runtime, not both', null],
    ['run ./missing.yaml', './missing.yaml: no such file', null],
    ['run a --input @missing.json', '--input @missing.json: no such file', null],
    ['validate ./missing.yaml', './missing.yaml: no such file', null],
    ['token create', '--role is missing: give one of operator, developer, reviewer, viewer, worker', null],
    ['token create --role boss', '--role "boss" is not one of operator, developer, reviewer, viewer, worker', null],
    ['token create --role developer --queue gpu', '--queue restricts role worker only, not developer', null],
    ['token create --role viewer --expires-in soon', '--expires-in "soon" is not a duration', 'Write 90s, 15m, 12h, 30d or 4w.'],
    ['dev --port 65536', '--port: must be a whole number from 0 to 65535, not "65536"', null],
    ['dev --db mysql://host/db', /^error: --db: unknown database scheme/, null],
    ['serve --bind a/b', '--bind: must be an address or a host name, not "a/b"', null],
  ])('%s', async (line, message, hint) => {
    const { code, stdout, stderr } = await jamjet(line.split(' '));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    if (typeof message === 'string') expect(stderr).toBe(`error: ${message}\n${hint === null ? '' : `${hint}\n`}`);
    else expect(stderr).toMatch(message);
  });

  it('rejects a server without authentication on other than loopback addresses', async () => {
    for (const line of ['serve --bind 0.0.0.0', 'serve --bind ::', 'serve --bind 192.0.2.1 --port 0']) {
      const { code, stderr } = await jamjet(line.split(' '), { env: { JAMJET_DEV_MODE: '1' } });
      expect(code).toBe(2);
      expect(stderr).toMatch(/^error: without authentication the server must listen on a loopback address, and \S+ is not one\n/);
    }
  });

  it('rejects unknown tools in JAMJET_TOOL_TENANTS', async () => {
    const { code, stderr } = await jamjet(['serve', '--port', '0'], { env: { JAMJET_TOOL_TENANTS: 'pya=acme;*=*' } });
    expect([code, stderr]).toEqual([1, expect.stringContaining('JAMJET_TOOL_TENANTS: there is no tool pya')]);
  });

  it('reports invalid JSON, and how to quote it', async () => {
    const { code, stderr } = await jamjet(['run', 'a', '--input', '{order: 1}']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: --input is not JSON: .+\nQuote it for the shell: --input '\{"key": "value"\}'\./);
  });

  it('names an invalid environment variable', async () => {
    const { code, stderr } = await jamjet(['ls'], { env: { JAMJET_URL: 'localhost:7700' } });
    expect(code).toBe(1);
    expect(stderr).toBe('error: JAMJET_URL: must be an http:// or https:// URL, not "localhost:7700"\n');
  });
});

describe('a hash that begins with a dash', () => {
  it('is the value of its option', async () => {
    const head = `-${'a'.repeat(42)}`;
    const { stderr } = await jamjet(['audit', 'verify', '--file', 'nowhere.jsonl', '--head', head]);
    expect(stderr).toContain('nowhere.jsonl');
    expect(stderr).not.toContain('--head');
  });
});
