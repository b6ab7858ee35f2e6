import { describe, expect, it } from 'vitest';
import { InvalidWorkflow } from '../../machines/diagnostics.ts';
import { errorReply, RequestError } from '../../src/api/errors.ts';
import { RuntimeError } from '../../src/runtime/errors.ts';
import { DamagedEntryError, StoreError } from '../../store/port/errors.ts';

const diagnostic = (message: string, hint: string | null = null) =>
  ({ severity: 'error', code: 'unknown_target', node_id: null, path: null, message, hint }) as const;

describe('the reply to an error', () => {
  it.each([
    [new RuntimeError('bad_request', 'x'), 400, 'bad request: x'],
    [new RuntimeError('already_terminal', 'x'), 400, 'bad request: x'],
    [new RuntimeError('not_found', 'x'), 404, 'not found: x'],
    [new RuntimeError('conflict', 'x'), 409, 'conflict: x'],
    [new RuntimeError('stale_fence', 'x'), 409, 'conflict: x'],
    [new RuntimeError('overloaded', 'x'), 503, 'service unavailable: x'],
    [new RuntimeError('shutting_down', 'x'), 503, 'service unavailable: x'],
    [new StoreError('store_unavailable', '/var/secret.db'), 503, 'service unavailable: the store cannot answer now; try again'],
    [new StoreError('store_full', '/var/secret.db'), 503, 'service unavailable: the disk of the database is full'],
    [new StoreError('store_read_only', '/var/secret.db'), 503, 'service unavailable: the database can be read but not written'],
    [new RequestError('unauthorized', 'x'), 401, 'x'],
    [new RequestError('forbidden', 'x'), 403, 'x'],
    [new RequestError('method_not_allowed', 'x'), 405, 'method not allowed: x'],
    [new RequestError('too_large', 'x'), 413, 'bad request: x'],
  ])('%s has its class', (error, status, text) => {
    expect(errorReply(error, 'r1')).toMatchObject({ status, body: { error: text, code: error.code } });
  });

  it.each(['unknown_token', 'unknown_tenant', 'unknown_webhook', 'unknown_cron_job', 'unknown_block'] as const)(
    'is `not_found` for errors of the store about missing rows: %s',
    (code) => {
      expect(errorReply(new StoreError(code, 'x'), '')).toMatchObject({
        status: 404,
        body: { error: 'not found: x', code: 'not_found' },
      });
    },
  );

  it.each([new Error('SELECT * FROM secrets'), new RuntimeError('corrupt', 'secrets'), 'secrets', undefined])(
    'hides internal errors: %s',
    (error) => {
      const { status, body } = errorReply(error, 'r1');
      expect([status, body.error]).toEqual([500, 'internal error: unexpected failure, logged under request r1']);
    },
  );

  it('is `corrupt` when an entry of the log is damaged', () => {
    expect(errorReply(new DamagedEntryError('secrets'), 'r1')).toEqual({
      status: 500,
      headers: {},
      body: { error: 'internal error: unexpected failure, logged under request r1', code: 'corrupt' },
    });
  });

  it('has Retry-After', () => {
    expect(errorReply(new RuntimeError('overloaded', 'x', { retryAfterMs: 2_100 }), '').headers).toEqual({ 'retry-after': '3' });
    expect(errorReply(new StoreError('store_unavailable', 'x'), '').headers).toEqual({ 'retry-after': '1' });
  });

  it('contains the first problems of a workflow in its text, and all of them in a list', () => {
    const problems = [diagnostic('a', 'do b'), diagnostic('c'), diagnostic('d'), diagnostic('e'), diagnostic('f')];
    const { status, body } = errorReply(new InvalidWorkflow(problems), '');
    expect([status, body.error, body.code]).toEqual([400, 'bad request: a (do b); c; d; and 2 more', 'invalid_workflow']);
    expect(body.diagnostics).toEqual(problems);
  });
});
