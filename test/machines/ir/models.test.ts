import { describe, expect, it } from 'vitest';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { JsonObject } from '../../../machines/json.ts';

const nodeOf = (more: JsonObject, kind: JsonObject = {}) =>
  normalise({
    workflow_id: 'w',
    version: '1',
    nodes: { a: { kind: { type: 'model', model_ref: 'fast', ...kind }, ...more } },
    models: { fast: { provider: 'openai', model: 'm', timeout_secs: 20, retry_policy: 'quick' } },
    retry_policies: { quick: { max_attempts: 2, backoff: 'fixed', initial_delay: 0, max_delay: 0 } },
  }).workflow.nodes[0];

describe('a model that a workflow declares', () => {
  it('gives its time limit and retry policy to the nodes that ask it', () => {
    expect(nodeOf({})).toMatchObject({ timeout_secs: 20, retry: { max_attempts: 2 } });
  });

  it('does not to a node that has its own', () => {
    expect(nodeOf({ node_timeout_secs: 5, retry_policy: 'no_retry' })).toMatchObject({
      timeout_secs: 5,
      retry: { max_attempts: 1 },
    });
    expect(nodeOf({}, { timeout: '7s' })).toMatchObject({ timeout_secs: 7, retry: { max_attempts: 2 } });
  });

  it('does not to a node that asks another one', () => {
    expect(nodeOf({}, { model_ref: 'gpt-4o' })).toMatchObject({ timeout_secs: 300, retry: { max_attempts: 3 } });
  });
});
