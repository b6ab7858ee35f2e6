import type { Member } from './member.ts';

export type Row = Readonly<Record<string, string | number | null>>;

/** Servers of one engine with their database, and all that can be done to them. */
export interface Cluster {
  readonly engine: 'sqlite' | 'postgres';
  readonly members: readonly Member[];
  /** For commands of `jamjet` on the database itself: another way than the one that is cut and delayed. */
  readonly databaseUrl: string;
  /** What cannot be done on this machine, and why. */
  readonly unavailable: readonly string[];
  /** Everything is well again: disks, links, clocks, the database, all servers up. */
  repair(): Promise<void>;
  /** Rows of the database, read past the servers. */
  query(sql: string): Promise<readonly Row[]>;
  close(): Promise<void>;
}
