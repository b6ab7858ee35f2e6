import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { History } from '../history.ts';
import { Preload } from '../preload/preload.ts';
import type { Cluster, Row } from './cluster.ts';
import { Member } from './member.ts';
import { SmallDisk } from './small-disk.ts';

const DISK_MB = 1_024;

export interface SqliteCluster extends Cluster {
  readonly engine: 'sqlite';
  readonly member: Member;
  /** Null if no file system can be mounted. */
  readonly disk: SmallDisk | null;
}

/** Starts one server on one SQLite file. */
export async function openSqliteCluster(folder: string, tools: string, history: History): Promise<SqliteCluster> {
  const disk = SmallDisk.mount(join(folder, 'disk'), DISK_MB);
  const file = join(disk?.folder ?? folder, 'runtime.db');
  const preload = new Preload(folder, 'server', ['runtime.db']);
  const env = { DATABASE_URL: file, FAULTS_CALLS: folder, JAMJET_ALLOW_PRIVATE_ADDRESSES: '1', JAMJET_LOG: 'warn' };
  const member = await Member.open({ name: 's1', folder, tools, env, preload, history });
  await member.start();
  return {
    engine: 'sqlite',
    member,
    members: [member],
    disk,
    databaseUrl: file,
    unavailable: disk === null ? ['a full file system (none can be mounted here; writes fail with ENOSPC instead)'] : [],
    async repair() {
      await disk?.empty();
      preload.repairDisk();
      preload.shiftClock(0);
      member.clientLink.restore();
      await member.runExclusive(async () => {
        member.signal('SIGCONT');
        if (!member.isUp) await member.start();
      });
    },
    async query(sql) {
      const db = new Database(file, { readonly: true });
      try {
        return db.prepare<[], Row>(sql).all();
      } finally {
        db.close();
      }
    },
    async close() {
      await member.close();
      disk?.unmount();
    },
  };
}
