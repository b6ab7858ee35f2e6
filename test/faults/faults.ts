import { setTimeout as after } from 'node:timers/promises';
import type { Random } from '../support/random.ts';
import type { SmallDisk } from './cluster/disk.ts';
import type { Link } from './cluster/link.ts';
import type { Member } from './cluster/member.ts';
import type { PostgresCluster } from './cluster/postgres.ts';
import type { SqliteCluster } from './cluster/sqlite.ts';
import type { Fault, Lane } from './nemesis.ts';
import { EIO, ENOSPC, type Preload } from './preload/preload.ts';

/** A wrong clock is wrong by so much at most. */
export const MOST_SKEW_MS = 120_000;
/** A server that is not seen for 30 seconds is lost; the others find that out within 40. */
const BEYOND_LEASE_MS = 42_000;
/** For calls that are to fail: a process that writes nothing makes none. */
const PATIENCE_MS = 2_000;
/** Writes that fail on a full disk. */
const EVERY = 2 ** 31 - 1;

interface Named {
  readonly name: string;
  readonly link: Link;
}

export function sqliteLanes({ member, disk }: SqliteCluster): readonly Lane[] {
  return [
    { name: 'server', restMs: [1_500, 4_000], faults: serverFaults([member]) },
    ...['one', 'two'].map((lane) => ({
      name: `connections ${lane}`,
      restMs: [50, 250] as const,
      faults: linkFaults('client', [{ name: member.name, link: member.front }]),
    })),
    {
      name: 'disk',
      restMs: [300, 1_500],
      faults: [
        ...diskFaults('SQLite', () => member.preload),
        fullDisk(
          'SQLite',
          () => disk,
          () => member.preload,
          [300, 1_500],
          async () => {},
        ),
      ],
    },
    { name: 'clock', restMs: [2_000, 6_000], faults: clockFaults([member]) },
  ];
}

/** `lasting`: long enough for servers that are really stopped beyond their leases. */
export function postgresLanes(cluster: PostgresCluster, lasting: boolean): readonly Lane[] {
  const { postgres, members, lines } = cluster;
  const fronts = members.map(({ name, front }) => ({ name, link: front }));
  const backs = lines.map(({ member, link }) => ({ name: `${member.name}–database`, link }));
  const lanes: Lane[] = [
    { name: 'servers', restMs: [500, 2_000], faults: serverFaults(members) },
    ...['one', 'two'].map((lane) => ({
      name: `client connections ${lane}`,
      restMs: [50, 300] as const,
      faults: linkFaults('client', fronts),
    })),
    { name: 'database connections', restMs: [50, 400], faults: [...linkFaults('database', backs), silence(backs)] },
    {
      name: 'database',
      restMs: [1_000, 4_000],
      faults: [
        fault('PostgreSQL restarted (fast)', 2, () => postgres.restart('fast')),
        fault('PostgreSQL restarted (immediate)', 2, () => postgres.restart('immediate')),
        fault('PostgreSQL backend killed', 2, () => postgres.killBackend()),
        fault('PostgreSQL failover', 3, () => cluster.failOver()),
        ...diskFaults(
          'PostgreSQL',
          () => postgres.preload,
          () => postgres.ensureUp(),
        ),
        fullDisk(
          'PostgreSQL',
          () => postgres.disk,
          () => postgres.preload,
          [500, 3_000],
          () => postgres.ensureUp(),
        ),
      ],
    },
    { name: 'clocks', restMs: [4_000, 10_000], faults: clockFaults(members) },
  ];
  const lost = lasting ? stoppedBeyondLease(members) : overtakenByClocks(members);
  return [...lanes, { name: 'lost servers', restMs: lasting ? [15_000, 45_000] : [2_000, 3_000], faults: [lost] }];
}

function fault(kind: string, weight: number, act: (random: Random) => Promise<void>): Fault {
  return { kind, weight, apply: async (random) => act(random).then(() => '') };
}

/** A fault of a server that nothing else is being done to. */
function ofServer(
  kind: string,
  weight: number,
  members: readonly Member[],
  act: (member: Member, random: Random) => Promise<string>,
): Fault {
  return {
    kind,
    weight,
    apply: async (random) => {
      const free = members.filter(({ isFree, isUp }) => isFree && isUp);
      if (free.length === 0) return null;
      const member = random.pick(free);
      return member.exclusive(async () => `${member.name} ${await act(member, random)}`.trim());
    },
  };
}

function serverFaults(members: readonly Member[]): readonly Fault[] {
  return [
    ofServer('server killed', 5, members, async (member, random) => {
      await member.kill();
      await after(random.between(0, 500));
      await member.start();
      return '';
    }),
    ofServer('server killed while it starts', 2, members, async (member, random) => {
      await member.kill();
      const afterMs = random.between(0, 900);
      await member.startAndKill(afterMs);
      await member.start();
      return `after ${afterMs} ms`;
    }),
    ofServer('server restarted in order', 2, members, async (member) => {
      await member.terminate();
      await member.start();
      return '';
    }),
    ofServer('server stopped (SIGSTOP)', 5, members, async (member, random) => {
      const forMs = random.between(50, 2_000);
      await stopped(member, forMs);
      return `for ${forMs} ms`;
    }),
  ];
}

async function stopped(member: Member, forMs: number): Promise<void> {
  member.signal('SIGSTOP');
  await after(forMs);
  member.signal('SIGCONT');
}

function stoppedBeyondLease(members: readonly Member[]): Fault {
  return ofServer('server stopped beyond its lease', 1, members, async (member) => {
    await stopped(member, BEYOND_LEASE_MS);
    return `for ${BEYOND_LEASE_MS} ms`;
  });
}

/** The same in a quarter of the time: the clocks of the others go on meanwhile. */
function overtakenByClocks(members: readonly Member[]): Fault {
  return ofServer('server stopped beyond its lease', 1, members, async (member) => {
    const others = members.filter((other) => other !== member);
    for (const { preload } of others) preload.shiftClock(BEYOND_LEASE_MS);
    await stopped(member, BEYOND_LEASE_MS / 4);
    for (const { preload } of others) preload.shiftClock(0);
    return `for ${BEYOND_LEASE_MS} ms by the clocks of the others`;
  });
}

function linkFaults(whose: string, links: readonly Named[]): readonly Fault[] {
  const cut = (within: 'now' | 'request' | 'answer', kind: string, weight: number): Fault => ({
    kind: `${whose} connection ${kind}`,
    weight,
    apply: async (random) => {
      const { name, link } = random.pick(links);
      return (await link.cutOne(random, within)) ? name : null;
    },
  });
  return [
    cut('now', 'cut', 4),
    cut('request', 'cut within a request', 4),
    cut('answer', 'cut within an answer', 4),
    {
      kind: `all ${whose} connections cut`,
      weight: 1,
      apply: async (random) => {
        const { name, link } = random.pick(links);
        const count = link.cutAll();
        return count === 0 ? null : `${name}: ${count}`;
      },
    },
    {
      kind: `${whose} connections delayed`,
      weight: 1,
      apply: async (random) => {
        const { name, link } = random.pick(links);
        const [byMs, forMs] = [random.between(20, 400), random.between(500, 2_500)];
        link.delayMs = byMs;
        await after(forMs);
        link.delayMs = 0;
        return `${name} by ${byMs} ms for ${forMs} ms`;
      },
    },
  ];
}

function silence(links: readonly Named[]): Fault {
  return {
    kind: 'database connections silent',
    weight: 1,
    apply: async (random) => {
      const { name, link } = random.pick(links);
      const forMs = random.between(300, 4_000);
      link.isSilent = true;
      await after(forMs);
      link.mend();
      return `${name} for ${forMs} ms`;
    },
  };
}

/** `preload`: of what writes now. `recovered`: resolves once it answers again. */
function diskFaults(whose: string, preload: () => Preload, recovered: () => Promise<void> = async () => {}): readonly Fault[] {
  const failing = (kind: string, weight: number, most: number, order: (preload: Preload, count: number) => void): Fault => ({
    kind: `${whose}: ${kind}`,
    weight,
    apply: async (random) => {
      const hit = preload();
      const before = hit.failed;
      const count = random.between(1, most);
      order(hit, count);
      for (let waitedMs = 0; hit.failed < before + count && waitedMs < PATIENCE_MS; waitedMs += 20) await after(20);
      hit.mendDisk();
      await recovered();
      const failed = hit.failed - before;
      return failed === 0 ? null : `${failed} calls`;
    },
  });
  return [
    failing('sync fails (EIO)', 3, 3, (hit, count) => hit.failSyncs(count, EIO)),
    failing('write fails half done (EIO)', 2, 3, (hit, count) => hit.failWrites(count, EIO)),
    failing('write fails half done (ENOSPC)', 2, 3, (hit, count) => hit.failWrites(count, ENOSPC)),
    {
      kind: `${whose}: syncs slow`,
      weight: 1,
      apply: async (random) => {
        const hit = preload();
        const byMs = random.between(10, 150);
        hit.slowSyncs(byMs);
        await after(random.between(500, 2_000));
        hit.mendDisk();
        return `by ${byMs} ms`;
      },
    },
  ];
}

/** Where no small disk may be mounted, every write fails as it would on a full one. */
function fullDisk(
  whose: string,
  disk: () => SmallDisk | null,
  preload: () => Preload,
  [least, most]: readonly [number, number],
  recovered: () => Promise<void>,
): Fault {
  return {
    kind: `${whose}: disk full`,
    weight: 2,
    apply: async (random) => {
      const [filled, hit] = [disk(), preload()];
      if (filled === null) hit.failWrites(EVERY, ENOSPC);
      else await filled.fill();
      const forMs = random.between(least, most);
      await after(forMs);
      await filled?.empty();
      hit.mendDisk();
      await recovered();
      return `for ${forMs} ms`;
    },
  };
}

function clockFaults(members: readonly Member[]): readonly Fault[] {
  const wrong = (kind: string, sign: 1 | -1): Fault => ({
    kind,
    weight: 1,
    apply: async (random) => {
      const member = random.pick(members);
      const byMs = sign * random.between(1_000, MOST_SKEW_MS);
      member.preload.shiftClock(byMs);
      await after(random.between(500, 5_000));
      member.preload.shiftClock(0);
      return `${member.name} by ${byMs} ms`;
    },
  });
  return [wrong('clock ahead', 1), wrong('clock behind', -1)];
}
