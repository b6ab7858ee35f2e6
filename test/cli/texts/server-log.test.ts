import { describe, expect, it } from 'vitest';
import { paint } from '../../../src/cli/terminal/paint.ts';
import { serverLogText } from '../../../src/cli/texts/server-log.ts';

const TIME = new Date(2026, 10, 27, 3, 5, 7, 9).getTime();
const text = (entry: object): string =>
  serverLogText(`${JSON.stringify({ time: TIME, pid: 7, hostname: 'vm', ...entry })}\n`, paint(false));

describe('a line of the log on a terminal', () => {
  it('says what failed where and why, with the stack below', () => {
    const about = {
      execution: 'exec_01a21f0ebab170008a1ac35d272e5b52',
      tenant: 'acme',
      workflow: 'order',
      node: 'charge',
      attempt: 0,
    };
    const failure = {
      error: 'card declined',
      error_name: 'TypeError',
      retryable: true,
      stack: 'at charge (tools.mjs:3:9)\nat pay (tools.mjs:9:2)',
    };
    expect(text({ level: 40, ...about, ...failure, cause: { message: '403' }, msg: 'attempt failed' })).toBe(
      [
        '03:05:07.009  warn   attempt failed  order charge attempt 0 272e5b52  card declined  tenant=acme error_name=TypeError retryable=true',
        '                     at charge (tools.mjs:3:9)',
        '                     at pay (tools.mjs:9:2)',
        '',
      ].join('\n'),
    );
  });

  it('has the message and stack of an error of the server, and the other fields of a line', () => {
    const err = { type: 'Error', message: 'disk full', stack: 'Error: disk full\n    at write (store.js:1:1)' };
    expect(text({ level: 50, err, msg: 'background task failed' })).toBe(
      '03:05:07.009  error  background task failed  disk full\n                     at write (store.js:1:1)\n',
    );
    expect(text({ level: 30, url: 'http://127.0.0.1:7700', tools: ['greet'], msg: 'server started' })).toBe(
      '03:05:07.009  info   server started  url=http://127.0.0.1:7700 tools=["greet"]\n',
    );
  });

  it('is coloured by its level', () => {
    const line = JSON.stringify({ level: 40, time: TIME, workflow: 'order', msg: 'attempt failed', tenant: 'default' });
    expect(serverLogText(line, paint(true))).toBe(
      '03:05:07.009  \u001b[33mwarn \u001b[39m  attempt failed  \u001b[2morder\u001b[22m\n',
    );
  });

  it('cannot control the terminal', () => {
    expect(text({ level: 40, error: '\u001b[2Jgone', workflow: 'a\u001bb', msg: 'attempt failed' })).not.toContain('\u001b');
  });

  it('is shown as it is if it is no entry of the log', () => {
    for (const line of ['not JSON\n', '[1]\n', '7\n']) expect(serverLogText(line, paint(false))).toBe(line);
  });
});
