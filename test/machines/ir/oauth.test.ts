import { describe, expect, it } from 'vitest';
import { InvalidWorkflow } from '../../../machines/diagnostics.ts';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import { ir } from '../../support/ir.ts';

const OAUTH = { token_endpoint: 'https://auth.example/token', client_id: 'agent', requested_scopes: ['read', 'write'] };

const scoped = (node: JsonObject, more: JsonObject = {}): JsonObject =>
  ir('w', { call: { type: 'http', url: 'https://api.example', node } }, [], { oauth: OAUTH, ...more });

function problemsOf(document: JsonObject): [string, string | null][] {
  try {
    return normalise(document).diagnostics.map(({ code, path }) => [code, path]);
  } catch (error) {
    if (!(error instanceof InvalidWorkflow)) throw error;
    return error.diagnostics.map(({ code, path }) => [code, path]);
  }
}

describe('the oauth of a workflow', () => {
  it('is read with the keys that may have one value only', () => {
    const { workflow, diagnostics } = normalise(
      scoped(
        {},
        {
          oauth: {
            ...OAUTH,
            client_secret: '$' + '{CLIENT_SECRET}',
            grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
            subject_token_source: 'workflow_context',
            audience: 'https://api.example',
          },
        },
      ),
    );
    expect(diagnostics).toEqual([]);
    expect(workflow.oauth).toEqual({ ...OAUTH, client_secret: '$' + '{CLIENT_SECRET}', audience: 'https://api.example' });
  });

  it.each<[string, JsonObject, string]>([
    ['a secret in clear', { client_secret: 'abc' }, 'secret_in_document'],
    ['another grant', { grant_type: 'password' }, 'not_available'],
    ['another source', { subject_token_source: 'header' }, 'not_available'],
    ['an endpoint that is no URL', { token_endpoint: 'auth.example' }, 'bad_url'],
    ['a scope with a space', { requested_scopes: ['a b'] }, 'bad_scope'],
    ['no client', { client_id: null }, 'missing_key'],
  ])('is refused with %s', (_, change, code) => {
    expect(problemsOf(scoped({}, { oauth: { ...OAUTH, ...change } })).map(([found]) => found)).toEqual([code]);
  });
});

describe('the scopes of a node', () => {
  it.each<[JsonObject]>([
    [{ oauth_scopes: ['read', 'read'] }],
    [{ oauth_scopes: { required_scopes: ['read'] } }],
    [{ required_scopes: ['read'] }],
  ])('are read from %j', (node) => {
    const { workflow, diagnostics } = normalise(scoped(node));
    expect(diagnostics).toEqual([]);
    expect(workflow.nodes[0]?.oauth_scopes).toEqual(['read']);
  });

  it('only narrow those of the workflow', () => {
    expect(problemsOf(scoped({ oauth_scopes: ['admin'] }))).toEqual([['scope_not_requested', 'nodes.call.oauth_scopes']]);
    expect(problemsOf(scoped({ oauth_scopes: ['admin'] }, { oauth: { ...OAUTH, requested_scopes: [] as Json } }))).toEqual([]);
  });

  it('need the oauth of the workflow', () => {
    expect(problemsOf(scoped({ oauth_scopes: ['read'] }, { oauth: null }))).toEqual([['no_oauth', 'nodes.call.oauth_scopes']]);
  });

  it('are a warning on a node without work', () => {
    const document = ir('w', { wait: { type: 'wait', node: { oauth_scopes: ['admin'] } } }, [], { oauth: OAUTH });
    expect(problemsOf(document)).toEqual([['ignored_key', 'nodes.wait.oauth_scopes']]);
  });
});
