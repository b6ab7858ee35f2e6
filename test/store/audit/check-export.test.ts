import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CheckOptions, checkExport, type ExportReport } from '../../../store/audit/check-export.ts';
import { sqliteDatabase } from '../../support/stores.ts';
import { exported, lines } from '../contract/audit-log.ts';
import { AT_MS, batch, context, event, startExecution, step, token } from '../writes.ts';

const KEY = 'a signing key';

/** Four blocks: two tenants' executions, another tenant's alone, a step, a token; then a removal. */
async function log(hmacKey?: string): Promise<readonly string[]> {
  const store = await sqliteDatabase().open(hmacKey === undefined ? {} : { hmacKey });
  const head = { status: 'completed', completedAtMs: AT_MS } as const;
  const odd = event(1, { data: { text: '\u2028\u2029\n' }, request: '{"ip":"::1"}' });
  await store.commit(
    batch(
      startExecution('exec_1', { events: [odd] }),
      startExecution('exec_a', { tenantId: 'acme' }),
      startExecution('exec_2', { progress: head }),
    ),
  );
  await store.commit(batch(startExecution('exec_b', { tenantId: 'acme' })));
  await store.commit(batch(step('exec_1', 1)));
  await store.control({ type: 'token_created', token: token('t1') }, context());
  await store.retention.remove({ after: null, endedBeforeMs: AT_MS + 1 }, context());
  return exported(store, 'default');
}

function check(all: readonly string[], options: Partial<CheckOptions> = {}): Promise<ExportReport> {
  return checkExport(lines(all), { key: null, head: null, ...options });
}

async function reasonAfter(
  change: (all: string[]) => string[],
  options: Partial<CheckOptions> = {},
): Promise<string | undefined> {
  const all = await log(options.key === undefined ? undefined : KEY);
  return (await check(change([...all]), options)).fault?.reason;
}

/** The same line with one field changed. */
function edited(line: string, change: (parsed: Record<string, unknown>) => void): string {
  const parsed = JSON.parse(line) as Record<string, unknown>;
  change(parsed);
  return JSON.stringify(parsed);
}

describe('an exported log', () => {
  it('is valid when unchanged', async () => {
    expect(await check(await log())).toMatchObject({ toBlock: 5, events: 5, removed: 1, signed: false, fault: null });
  });

  it('reveals a change of any character', async () => {
    const all = await log();
    for (const [index, line] of all.entries()) {
      for (let at = 0; at < line.length; at += 7) {
        const other = line.charAt(at) === 'x' ? 'y' : 'x';
        const changed = all.with(index, `${line.slice(0, at)}${other}${line.slice(at + 1)}`);
        const { fault } = await check(changed);
        expect([index, at, fault === null]).toEqual([index, at, false]);
      }
    }
  });

  it('reveals a line that was removed, duplicated, added or moved', async () => {
    const all = await log();
    for (const index of all.keys()) {
      expect((await check(all.toSpliced(index, 1))).fault).not.toBeNull();
      expect((await check(all.toSpliced(index, 0, all[index] ?? ''))).fault).not.toBeNull();
      expect((await check(all.toSpliced(index, 0, '{}'))).fault).not.toBeNull();
      if (index > 0)
        expect((await check(all.toSpliced(index - 1, 2, all[index] ?? '', all[index - 1] ?? ''))).fault).not.toBeNull();
    }
    expect((await check([...all, '{"end":true}'])).fault).toMatchObject({ reason: 'seal' });
    expect((await check([])).fault).toEqual({ line: 0, block: null, reason: 'truncated', executionId: null });
  });

  it('reports the place and the reason of a fault', async () => {
    const all = await log();
    const at = all.findIndex((line) => line.includes('::1'));
    const changed = all.with(at, (all[at] ?? '').replace('::1', '::2'));
    expect((await check(changed)).fault).toEqual({ line: at + 1, block: 1, reason: 'stream_digest', executionId: 'exec_1' });
    expect(await check(changed)).toMatchObject({ toBlock: 0 });
    expect(await reasonAfter((lines) => lines.slice(0, -1))).toBe('truncated');
    expect(await reasonAfter((lines) => lines.slice(1))).toBe('format');
    expect(
      await reasonAfter((lines) =>
        lines.with(
          1,
          edited(lines[1] ?? '', (line) => (line.block = 2)),
        ),
      ),
    ).toBe('missing_block');
    expect(
      await reasonAfter((lines) =>
        lines.with(
          1,
          edited(lines[1] ?? '', (line) => (line.writer = 'x')),
        ),
      ),
    ).toBe('block_hash');
    expect(
      await reasonAfter((lines) =>
        lines.with(
          0,
          edited(lines[0] ?? '', (line) => (line.exported_at = 'x')),
        ),
      ),
    ).toBe('seal');
  });

  it('must consist of lines of its format', async () => {
    const changes: readonly ((block: Record<string, unknown>) => void)[] = [
      (block) => Object.assign(block, { block: '1' }),
      (block) => Object.assign(block, { position: 1.5 }),
      (block) => Object.assign(block, { streams: {} }),
    ];
    for (const change of changes) expect(await reasonAfter((all) => all.with(1, edited(all[1] ?? '', change)))).toBe('format');
  });

  it('must not end within a block, even if it is sealed there', async () => {
    const all = await log();
    const { head } = JSON.parse(all[0] ?? '') as { readonly head?: string };
    const cut = all.slice(0, 2);
    expect(JSON.parse(cut[1] ?? '')).toHaveProperty('block', 1);
    const previous = (JSON.parse(cut[0] ?? '') as { readonly previous: string }).previous;
    const sha256 = createHash('sha256')
      .update(cut.map((line) => `${line}\n`).join(''))
      .digest('base64url');
    const end = { end: true, to_block: 0, head: head ?? previous, lines: cut.length, sha256, signature: null };
    expect((await check([...cut, JSON.stringify(end)])).fault).toMatchObject({ reason: 'format' });
  });

  it('rejects a removal that is not recorded', async () => {
    const removal = (line: string) => line.includes('executions_removed');
    const before = await log();
    const last = before.findLastIndex((line) => line.includes('"block":5'));
    // As if the log had been cut before the block that records it, and given a new end.
    const all = before.slice(0, last);
    expect(all.some(removal)).toBe(false);
    expect((await check(all)).fault).toMatchObject({ reason: 'truncated' });
    const named = before.findIndex(removal);
    const renamed = before.with(named, (before[named] ?? '').replace('exec_2', 'exec_9'));
    expect((await check(renamed)).fault).toMatchObject({ reason: 'stream_digest', executionId: null });
  });

  it('must end with the given head', async () => {
    const all = await log();
    const { head } = await check(all);
    expect((await check(all, { head })).fault).toBeNull();
    expect((await check(all, { head: 'another' })).fault).toMatchObject({ reason: 'head' });
  });
});

describe('a signed export', () => {
  it('is valid with its key only', async () => {
    const all = await log(KEY);
    expect(await check(all, { key: KEY })).toMatchObject({ signed: true, fault: null });
    expect((await check(all, { key: 'other' })).fault).toMatchObject({ reason: 'signature', block: 1 });
    expect((await check(all)).fault).toBeNull();
  });

  it('reports unsigned blocks, and continues', async () => {
    const all = await log(KEY);
    const { toBlock } = await check(all);
    expect(await check(await log(), { key: KEY })).toMatchObject({
      fault: null,
      signed: false,
      sealSigned: false,
      unsigned: { blocks: toBlock, ranges: [{ from: 1, to: toBlock }] },
    });
    const blockLine = all.findIndex((line) => line.startsWith('{"block":2,'));
    const stripped = all.with(
      blockLine,
      edited(all[blockLine] ?? '', (parsed) => (parsed.signature = null)),
    );
    expect((await check(stripped, { key: KEY })).fault).toMatchObject({ reason: 'seal' });
    expect(await check(all, { key: KEY })).toMatchObject({ sealSigned: true, unsigned: null });
  });

  it('cannot be sealed again without the key', async () => {
    const unsigned = (line: string) => edited(line, (parsed) => (parsed.signature = 'forged'));
    expect(await reasonAfter((all) => all.with(-1, unsigned(all.at(-1) ?? '')), { key: KEY })).toBe('signature');
  });
});

describe('an export that was kept', () => {
  const folder = 'test/golden/exports';
  const files = readdirSync(folder).filter((file) => file.endsWith('.jsonl'));

  it.each(files)('%s is valid, and reveals a change of any character', async (file) => {
    const all = readFileSync(join(folder, file), 'utf8').split('\n').slice(0, -1);
    expect(await check(all, { key: 'golden' })).toMatchObject({ removed: 1, signed: true, fault: null });
    for (const [index, line] of all.entries()) {
      for (let at = 0; at < line.length; at += 97) {
        const other = line.charAt(at) === 'x' ? 'y' : 'x';
        const changed = all.with(index, `${line.slice(0, at)}${other}${line.slice(at + 1)}`);
        const { fault } = await check(changed, { key: 'golden' });
        expect([index, at, fault === null]).toEqual([index, at, false]);
      }
    }
  });
});
