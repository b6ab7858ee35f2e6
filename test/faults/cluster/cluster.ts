import type { Member } from './member.ts';

export type Row = Readonly<Record<string, string | number | null>>;

/** Servers of one engine with their database, and the operations on them. */
export interface Cluster {
  readonly engine: 'sqlite' | 'postgres';
  readonly members: readonly Member[];
  /** For `jamjet` commands on the database: a direct connection, without faults. */
  readonly databaseUrl: string;
  /** Faults that are not available on this machine, with the reason. */
  readonly unavailable: readonly string[];
  /** Repairs everything: disks, links, clocks, the database; all servers are up. */
  repair(): Promise<void>;
  /** Rows of the database, read directly. */
  query(sql: string): Promise<readonly Row[]>;
  close(): Promise<void>;
}
