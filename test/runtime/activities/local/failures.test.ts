import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../../machines/json.ts';
import { CALLER, openTestRuntime, type TestRuntime } from '../../../support/runtimes.ts';

const KEY = 'sk-live-0123456789';
const MAIL = 'ann.smith@example.com';

const document = (more: JsonObject = {}): JsonObject => ({
  workflow_id: 'charging',
  version: '1',
  nodes: {
    charge: { kind: { type: 'tool', tool_ref: 'charge', input_mapping: { key: '{{ env.PAY_KEY }}', mail: '{{ state.mail }}' } } },
  },
  edges: [{ from: 'charge', to: 'end' }],
  ...more,
});

class DeclinedError extends Error {
  override readonly name = 'DeclinedError';
  readonly retryable = false;
}

const tools = {
  charge({ key, mail }: { readonly key: string; readonly mail: string }) {
    throw new DeclinedError(`card of ${mail} declined`, { cause: new Error(`403 for ${key} of ${mail}`) });
  },
};

const failureIn = async (it: TestRuntime, id: string): Promise<JsonObject> =>
  (await it.log(id)).find(({ type }) => type === 'node_failed')?.data ?? {};

describe('a failure of in-process work', () => {
  it('is logged with name, stack and cause, and without values of env', async () => {
    const it = await openTestRuntime({ tools, vars: { PAY_KEY: KEY } });
    const id = await it.run(document() as never, { mail: MAIL });
    expect(await it.settled(id)).toMatchObject({ status: 'failed' });
    const failure = await failureIn(it, id);
    expect(failure).toMatchObject({
      error: `card of ${MAIL} declined: 403 for {{ env.PAY_KEY }} of ${MAIL}`,
      error_name: 'DeclinedError',
      retryable: false,
      cause: { name: 'Error', message: `403 for {{ env.PAY_KEY }} of ${MAIL}` },
    });
    expect(failure.stack).toMatch(/^at .*charge \(test\/runtime\/activities\/local\/failures\.test\.ts:\d+:\d+\)/);
    expect(JSON.stringify(await it.log(id))).not.toContain(KEY);
    // A replay gives the same log.
    expect(await it.runtime.replay('default', id)).toMatchObject({ mismatch: null });
  });

  it('is redacted as the data policy says', async () => {
    const it = await openTestRuntime({ tools, vars: { PAY_KEY: KEY } });
    const id = await it.run(document({ data_policy: { pii_detectors: ['email'] } }) as never, { mail: MAIL });
    await it.settled(id);
    expect(JSON.stringify(await it.log(id))).not.toContain(MAIL);
    expect(await failureIn(it, id)).toMatchObject({ error_name: 'DeclinedError', cause: { name: 'Error' } });
  });

  it('keeps its details when the failure is retried', async () => {
    const it = await openTestRuntime({ tools, vars: { PAY_KEY: KEY } });
    const id = await it.run(document() as never, { mail: 'none' });
    await it.settled(id);
    await it.runtime.retry(CALLER, id);
    await it.settled(id);
    const failures = (await it.log(id)).filter(({ type }) => type === 'node_failed');
    expect(failures.map(({ data }) => [data.error_name, data.activation])).toEqual([
      ['DeclinedError', 1],
      ['DeclinedError', 2],
    ]);
    expect(await it.runtime.replay('default', id)).toMatchObject({ mismatch: null });
  });
});
