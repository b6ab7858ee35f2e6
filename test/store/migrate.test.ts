import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Migration, type MigrationTarget, migrate, readMigrations } from '../../store/migrate.ts';
import { temporaryFolder } from '../support/stores.ts';

function folderOf(files: Readonly<Record<string, string>>): URL {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return pathToFileURL(`${folder}/`);
}

/** A migration target in memory. */
class Ledger implements MigrationTarget {
  applied: readonly string[] = [];
  #turn: Promise<void> = Promise.resolve();

  async version(): Promise<number> {
    return this.applied.length;
  }

  upgrade(missing: (version: number) => readonly Migration[]): Promise<void> {
    const mine = this.#turn.then(() => {
      const names = missing(this.applied.length).map(({ name, sql }) => {
        if (sql === 'fail') throw new Error(`cannot apply ${name}`);
        return name;
      });
      this.applied = [...this.applied, ...names];
    });
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

const three = folderOf.bind(null, { '0001_init.sql': 'a', '0003_third.sql': 'c', '0002_second.sql': 'b', 'README.md': '' });

describe('readMigrations', () => {
  it('reads the numbered files in order', () => {
    expect(readMigrations(three())).toEqual([
      { version: 1, name: 'init', sql: 'a' },
      { version: 2, name: 'second', sql: 'b' },
      { version: 3, name: 'third', sql: 'c' },
    ]);
  });

  it('rejects a gap, a duplicate number and a name without a number', () => {
    expect(() => readMigrations(folderOf({ '0001_a.sql': '', '0003_c.sql': '' }))).toThrow(/0003_c\.sql.*0002_/);
    expect(() => readMigrations(folderOf({ '0001_a.sql': '', '0001_b.sql': '' }))).toThrow(/0001_b\.sql/);
    expect(() => readMigrations(folderOf({ 'init.sql': '' }))).toThrow(/init\.sql/);
  });
});

describe('migrate', () => {
  it('applies missing migrations in order, each once', async () => {
    const ledger = new Ledger();
    const all = readMigrations(three());
    await migrate(ledger, all.slice(0, 1));
    await migrate(ledger, all);
    await migrate(ledger, all);
    expect(ledger.applied).toEqual(['init', 'second', 'third']);
  });

  it('runs once when several processes start at the same time', async () => {
    const ledger = new Ledger();
    const all = readMigrations(three());
    await Promise.all([migrate(ledger, all), migrate(ledger, all), migrate(ledger, all)]);
    expect(ledger.applied).toEqual(['init', 'second', 'third']);
  });

  it('is atomic', async () => {
    const ledger = new Ledger();
    const failing = readMigrations(folderOf({ '0001_a.sql': '', '0002_b.sql': 'fail' }));
    await expect(migrate(ledger, failing)).rejects.toThrow('cannot apply b');
    expect(ledger.applied).toEqual([]);
  });

  it('rejects a database with a newer schema', async () => {
    const ledger = new Ledger();
    const all = readMigrations(three());
    await migrate(ledger, all);
    await expect(migrate(ledger, all.slice(0, 2))).rejects.toMatchObject({ code: 'schema_too_new' });
  });
});
