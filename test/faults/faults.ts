import { setTimeout as after } from 'node:timers/promises';
import type { Random } from '../support/random.ts';
import type { Member } from './cluster/member.ts';
import type { PostgresCluster } from './cluster/postgres.ts';
import type { ProxiedLink } from './cluster/proxied-link.ts';
import type { SmallDisk } from './cluster/small-disk.ts';
import type { SqliteCluster } from './cluster/sqlite.ts';
import type { Fault, FaultSequence } from './nemesis.ts';
import { EIO, ENOSPC, type Preload } from './preload/preload.ts';

/** Maximum error of a wrong clock. */
export const MAX_SKEW_MS = 120_000;
/** A server without a heartbeat for 30 seconds is considered lost; the others detect that within 40. */
const BEYOND_LEASE_MS = 42_000;
/** Maximum wait for the calls that are to fail: an idle process makes none. */
const HIT_TIMEOUT_MS = 2_000;
/** Number of writes that fail on a simulated full disk: all of them. */
const ALL_CALLS = 2 ** 31 - 1;

interface NamedLink {
  readonly name: string;
  readonly link: ProxiedLink;
}

export function sqliteFaultSequences({ member, disk }: SqliteCluster): readonly FaultSequence[] {
  return [
    { name: 'server', restMs: [1_500, 4_000], faults: serverFaults([member]) },
    ...['one', 'two'].map((suffix) => ({
      name: `connections ${suffix}`,
      restMs: [50, 250] as const,
      faults: linkFaults('client', [{ name: member.name, link: member.clientLink }]),
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

/** `longRun`: the run is long enough to stop servers for longer than their leases. */
export function postgresFaultSequences(cluster: PostgresCluster, lasting: boolean): readonly FaultSequence[] {
  const { postgres, members, databaseLinks } = cluster;
  const clientLinks = members.map(({ name, clientLink: front }) => ({ name, link: front }));
  const databaseConnections = databaseLinks.map(({ member, link }) => ({ name: `${member.name}–database`, link }));
  const sequences: FaultSequence[] = [
    { name: 'servers', restMs: [500, 2_000], faults: serverFaults(members) },
    ...['one', 'two'].map((suffix) => ({
      name: `client connections ${suffix}`,
      restMs: [50, 300] as const,
      faults: linkFaults('client', clientLinks),
    })),
    {
      name: 'database connections',
      restMs: [50, 400],
      faults: [...linkFaults('database', databaseConnections), hangingLinkFault(databaseConnections)],
    },
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
  const lost = lasting ? stopBeyondLease(members) : stopWhileOtherClocksAdvance(members);
  return [...sequences, { name: 'lost servers', restMs: lasting ? [15_000, 45_000] : [2_000, 3_000], faults: [lost] }];
}

function fault(kind: string, weight: number, apply: (random: Random) => Promise<void>): Fault {
  return { kind, weight, apply: async (random) => apply(random).then(() => '') };
}

/** A fault of a server that is up and not affected by another fault. */
function serverFault(
  kind: string,
  weight: number,
  members: readonly Member[],
  apply: (member: Member, random: Random) => Promise<string>,
): Fault {
  return {
    kind,
    weight,
    apply: async (random) => {
      const idle = members.filter(({ isIdle, isUp }) => isIdle && isUp);
      if (idle.length === 0) return null;
      const member = random.pick(idle);
      return member.runExclusive(async () => `${member.name} ${await apply(member, random)}`.trim());
    },
  };
}

function serverFaults(members: readonly Member[]): readonly Fault[] {
  return [
    serverFault('server killed', 5, members, async (member, random) => {
      await member.kill();
      await after(random.between(0, 500));
      await member.start();
      return '';
    }),
    serverFault('server killed during startup', 2, members, async (member, random) => {
      await member.kill();
      const afterMs = random.between(0, 900);
      await member.startAndKill(afterMs);
      await member.start();
      return `after ${afterMs} ms`;
    }),
    serverFault('server restarted (SIGTERM)', 2, members, async (member) => {
      await member.terminate();
      await member.start();
      return '';
    }),
    serverFault('server stopped (SIGSTOP)', 5, members, async (member, random) => {
      const forMs = random.between(50, 2_000);
      await stopFor(member, forMs);
      return `for ${forMs} ms`;
    }),
  ];
}

async function stopFor(member: Member, forMs: number): Promise<void> {
  member.signal('SIGSTOP');
  await after(forMs);
  member.signal('SIGCONT');
}

function stopBeyondLease(members: readonly Member[]): Fault {
  return serverFault('server stopped beyond its lease', 1, members, async (member) => {
    await stopFor(member, BEYOND_LEASE_MS);
    return `for ${BEYOND_LEASE_MS} ms`;
  });
}

/** Like `stopBeyondLease` in a quarter of the time: the clocks of the other servers are advanced. */
function stopWhileOtherClocksAdvance(members: readonly Member[]): Fault {
  return serverFault('server stopped beyond its lease', 1, members, async (member) => {
    const others = members.filter((other) => other !== member);
    for (const { preload } of others) preload.shiftClock(BEYOND_LEASE_MS);
    await stopFor(member, BEYOND_LEASE_MS / 4);
    for (const { preload } of others) preload.shiftClock(0);
    return `for ${BEYOND_LEASE_MS} ms by the clocks of the other servers`;
  });
}

function linkFaults(owner: string, links: readonly NamedLink[]): readonly Fault[] {
  const cut = (within: 'now' | 'request' | 'response', kind: string, weight: number): Fault => ({
    kind: `${owner} connection ${kind}`,
    weight,
    apply: async (random) => {
      const { name, link } = random.pick(links);
      return (await link.cutOne(random, within)) ? name : null;
    },
  });
  return [
    cut('now', 'cut', 4),
    cut('request', 'cut mid-request', 4),
    cut('response', 'cut mid-response', 4),
    {
      kind: `all ${owner} connections cut`,
      weight: 1,
      apply: async (random) => {
        const { name, link } = random.pick(links);
        const count = link.cutAll();
        return count === 0 ? null : `${name}: ${count}`;
      },
    },
    {
      kind: `${owner} connections delayed`,
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

function hangingLinkFault(links: readonly NamedLink[]): Fault {
  return {
    kind: 'database connections hanging',
    weight: 1,
    apply: async (random) => {
      const { name, link } = random.pick(links);
      const forMs = random.between(300, 4_000);
      link.isHanging = true;
      await after(forMs);
      link.restore();
      return `${name} for ${forMs} ms`;
    },
  };
}

/** `preload`: of the process that currently writes. `waitForRecovery`: resolves once it responds again. */
function diskFaults(
  owner: string,
  preload: () => Preload,
  waitForRecovery: () => Promise<void> = async () => {},
): readonly Fault[] {
  const failing = (kind: string, weight: number, max: number, command: (preload: Preload, count: number) => void): Fault => ({
    kind: `${owner}: ${kind}`,
    weight,
    apply: async (random) => {
      const target = preload();
      const before = target.failedCalls;
      const count = random.between(1, max);
      command(target, count);
      for (let waitedMs = 0; target.failedCalls < before + count && waitedMs < HIT_TIMEOUT_MS; waitedMs += 20) await after(20);
      target.repairDisk();
      await waitForRecovery();
      const failed = target.failedCalls - before;
      return failed === 0 ? null : `${failed} calls`;
    },
  });
  return [
    failing('sync fails (EIO)', 3, 3, (target, count) => target.failSyncs(count, EIO)),
    failing('partial write (EIO)', 2, 3, (target, count) => target.failWrites(count, EIO)),
    failing('partial write (ENOSPC)', 2, 3, (target, count) => target.failWrites(count, ENOSPC)),
    {
      kind: `${owner}: slow syncs`,
      weight: 1,
      apply: async (random) => {
        const target = preload();
        const byMs = random.between(10, 150);
        target.slowSyncs(byMs);
        await after(random.between(500, 2_000));
        target.repairDisk();
        return `by ${byMs} ms`;
      },
    },
  ];
}

/** If no small disk can be mounted, every write fails with ENOSPC instead. */
function fullDisk(
  owner: string,
  disk: () => SmallDisk | null,
  preload: () => Preload,
  [least, most]: readonly [number, number],
  waitForRecovery: () => Promise<void>,
): Fault {
  return {
    kind: `${owner}: disk full`,
    weight: 2,
    apply: async (random) => {
      const [smallDisk, target] = [disk(), preload()];
      if (smallDisk === null) target.failWrites(ALL_CALLS, ENOSPC);
      else await smallDisk.fill();
      const forMs = random.between(least, most);
      await after(forMs);
      await smallDisk?.empty();
      target.repairDisk();
      await waitForRecovery();
      return `for ${forMs} ms`;
    },
  };
}

function clockFaults(members: readonly Member[]): readonly Fault[] {
  const clockFault = (kind: string, sign: 1 | -1): Fault => ({
    kind,
    weight: 1,
    apply: async (random) => {
      const member = random.pick(members);
      const byMs = sign * random.between(1_000, MAX_SKEW_MS);
      member.preload.shiftClock(byMs);
      await after(random.between(500, 5_000));
      member.preload.shiftClock(0);
      return `${member.name} by ${byMs} ms`;
    },
  });
  return [clockFault('clock ahead', 1), clockFault('clock behind', -1)];
}
