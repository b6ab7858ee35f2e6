import { describe, expect, it } from 'vitest';
import { jsonText } from '../../../store/postgres/json-text.ts';
import { postgresDatabase, postgresServer } from '../../support/postgres.ts';
import { AT_MS, request, startExecution, timer, unit, workItem } from '../writes.ts';

const server = postgresServer();

/** Characters that PostgreSQL's text cannot hold, and text that looks like their escapes. */
const ODD = 'a\ud800\0\\ud800';
const KEPT = 'a\ufffd\ufffd\\ud800';

describe('text that PostgreSQL cannot store', () => {
  it('is stored with replacement characters in any field, and fails no commit', async () => {
    const store = await postgresDatabase(server).open();
    const item = workItem('w1', { nodeId: ODD, queue: ODD, payload: JSON.stringify(ODD) });
    const written = startExecution('exec_1', {
      create: { labels: JSON.stringify({ [ODD]: ODD }) },
      timers: [timer(ODD, AT_MS)],
      work: [{ op: 'put', item }],
      progress: { status: 'failed', error: ODD },
    });
    const units = [unit([written], request(ODD)), unit([startExecution('exec_2')])];
    expect(await store.commit({ atMs: AT_MS, units })).toEqual([null, null]);
    expect(await store.execution('exec_1')).toMatchObject({ error: KEPT });
    expect(await store.due(AT_MS, 10)).toMatchObject([{ kind: 'timer', timerId: KEPT }]);
    expect(await store.workItem('default', 'w1')).toMatchObject({ nodeId: KEPT, queue: KEPT, payload: JSON.stringify(ODD) });
    expect(await store.tenant('default').idempotency('executions', ODD)).toMatchObject({ key: KEPT });
    for (const text of [ODD, KEPT]) {
      const { rows } = await store.tenant('default').executions({ limit: 10, labels: [{ key: text, value: text }] });
      expect(rows.map(({ id }) => id)).toEqual(['exec_1']);
    }
  });

  it.each([
    ['pairs', '😀', '😀'],
    ['halves', '\ude00\ud83d', '\ufffd\ufffd'],
    ['what shows an escape', '\\ud800 \\\\u0000', '\\ud800 \\\\u0000'],
    ['what is escaped behind a backslash', '\\\0\\\ud800', '\\\ufffd\\\ufffd'],
    ['JSON within JSON', JSON.stringify('\0\ud800'), JSON.stringify('\0\ud800')],
    ['other control characters', '\u0001\u001f', '\u0001\u001f'],
  ])('is distinguished from %s', (_, text, kept) => {
    expect(JSON.parse(jsonText(text))).toBe(kept);
  });
});
