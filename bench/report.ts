import type { BytesWritten } from './bytes.ts';
import type { Load } from './load.ts';
import type { FsyncProbe } from './machine.ts';
import type { Results } from './sections.ts';
import { fixed, table, whole } from './table.ts';

const LOAD_HEAD = ['', 'at once', 'a second', 'p50 ms', 'p99 ms', 'server cores', 'client cores'] as const;

/** Formats the results. */
export function report(fsync: FsyncProbe, results: Partial<Results>): string {
  const parts = [`fsync    p50 ${fixed(fsync.p50Ms)} ms · p99 ${fixed(fsync.p99Ms)} ms (durable 4 KiB append)`];
  const put = (title: string, text: string) => parts.push(`\n${title}\n${text}`);
  const {
    inProcess,
    rawLoop,
    overHttp,
    startsInProcess,
    stepCosts,
    largeState,
    smallExecutions,
    dormant,
    lists,
    streams,
    postgres,
  } = results;

  const loads = [
    ...rows('in process', inProcess),
    ...rows('over HTTP, auth on', overHttp?.completed),
    ...rows('durable starts, in process', startsInProcess),
    ...rows('durable starts, over HTTP', overHttp?.starts),
  ];
  if (loads.length > 0) put('Throughput: three-node executions start → completed, and starts alone', table(LOAD_HEAD, loads));
  if (rawLoop !== undefined)
    put(
      'Compared with a plain better-sqlite3 loop that writes the same rows in the same transactions',
      rawTable(rawLoop, results),
    );
  if (inProcess !== undefined) put('Latency', latency(fsync, results));
  if (stepCosts !== undefined) put('CPU time of one message in the machine (no store)', stepTable(stepCosts));
  if (largeState !== undefined) {
    const { steps, stateBytes, patchBytes, seconds, start, all } = largeState;
    const what = `${whole(steps)} steps of ${whole(patchBytes / steps)} B on a state of ${whole(stateBytes)} B, ${fixed(seconds, 1)} s`;
    put(`Large state: ${what}`, largeStateTable(start, all, patchBytes));
  }
  if (smallExecutions !== undefined) {
    const { executions, bytes } = smallExecutions;
    put(`Three-node executions: ${whole(executions)}`, bytesTable(bytes, executions, 'B each'));
  }
  if (dormant !== undefined) {
    put(
      `Dormant: ${whole(dormant.executions)} executions waiting for an event`,
      table(
        ['', 'heap MiB', 'resident MiB', 'took'],
        [
          [
            'started',
            mib(dormant.afterStart.heapBytes),
            mib(dormant.afterStart.residentBytes),
            `${fixed(dormant.startSeconds, 1)} s`,
          ],
          [
            'reopened',
            mib(dormant.afterReopen.heapBytes),
            mib(dormant.afterReopen.residentBytes),
            `${fixed(dormant.reopenMs, 0)} ms`,
          ],
          ['one woken', '', '', `${fixed(dormant.wakeMs, 1)} ms`],
          ['on disk', '', '', `${whole(dormant.fileBytesEach)} B each`],
        ],
      ),
    );
  }
  if (lists !== undefined) {
    const { executions, buildSeconds } = lists;
    put(
      `Lists: 50 of ${whole(executions)} executions (built in ${fixed(buildSeconds, 1)} s), compared with 50 plain reads by primary key`,
      listsTable(lists),
    );
  }
  if (streams !== undefined) {
    const { streams: count, coresAlone, coresWith, residentBytesEach, fanOutMs } = streams;
    put(
      `Event streams: ${whole(count)} idle streams`,
      table(
        ['cores without them', 'cores with them', 'resident KiB each', 'one event to half of them, ms'],
        [
          [
            fixed(coresAlone, 4),
            fixed(coresWith, 4),
            fixed(residentBytesEach === null ? null : residentBytesEach / 1024, 1),
            fixed(fanOutMs, 1),
          ],
        ],
      ),
    );
  }
  if (postgres?.postgres === null) put('PostgreSQL', '  not measured: none is installed (apt-get install postgresql)');
  else if (postgres !== undefined)
    put('One PostgreSQL, fsync on: three-node executions start → completed over HTTP', clusterTable(postgres));
  return parts.join('\n');
}

function clusterTable({ sqlite, postgres }: Results['postgres']): string {
  const figures = (what: string, loads: Results['postgres']['sqlite']) =>
    rows(
      what,
      loads.map(({ load }) => load),
    ).map((row, i) => {
      const alone = sqlite[i]?.load.perSecond ?? Number.NaN;
      return [...row, fixed(loads[i]?.databaseCores ?? null), fixed((loads[i]?.load.perSecond ?? Number.NaN) / alone)];
    });
  return table(
    [...LOAD_HEAD, 'database cores', '÷ SQLite'],
    [
      ...figures('SQLite, one runtime', sqlite),
      ...(postgres ?? []).flatMap((loads, i) => figures(`PostgreSQL, ${i + 1} ${i === 0 ? 'runtime' : 'runtimes'}`, loads)),
    ],
  );
}

function listsTable({ pages, bareMs }: Results['lists']): string {
  const row = (what: string, found: number, ms: number) => [what, whole(found), fixed(ms), fixed(ms / bareMs, 1)];
  return table(
    ['', 'found', 'p50 ms', '÷ plain'],
    [row('plain better-sqlite3', 50, bareMs), ...pages.map(({ what, rows: found, p50Ms }) => row(what, found, p50Ms))],
  );
}

function rows(what: string, loads: readonly Load[] | undefined): string[][] {
  return (loads ?? []).map((load, i) => [
    i === 0 ? what : '',
    String(load.concurrency),
    whole(load.perSecond),
    fixed(load.p50Ms),
    fixed(load.p99Ms),
    fixed(load.cores.server),
    fixed(load.cores.client),
  ]);
}

function rawTable(raw: Results['rawLoop'], { inProcess, overHttp }: Partial<Results>): string {
  const against = (loads: readonly Load[] | undefined, concurrency: number, rawPerSecond: number) =>
    fixed((loads?.find((load) => load.concurrency === concurrency)?.perSecond ?? Number.NaN) / rawPerSecond);
  return table(
    ['', 'at once', 'executions a second', 'statements each', 'transactions', 'in process ÷ it', 'HTTP ÷ it'],
    raw.map((load, i) => [
      i === 0 ? 'plain loop' : '',
      String(load.concurrency),
      whole(load.perSecond),
      fixed(load.statements / load.executions, 1),
      whole(load.transactions),
      against(inProcess, load.concurrency, load.perSecond),
      against(overHttp?.completed, load.concurrency, load.perSecond),
    ]),
  );
}

function latency(fsync: FsyncProbe, { inProcess, overHttp }: Partial<Results>): string {
  const allowed = 4 * fsync.p50Ms + 1;
  const line = (what: string, loads: readonly Load[] | undefined) => {
    const alone = loads?.find((load) => load.concurrency === 1);
    return alone === undefined ? [] : [[what, fixed(alone.p50Ms), fixed(allowed), fixed(alone.p50Ms / allowed)]];
  };
  return table(
    ['one at a time', 'p50 ms', '4 fsyncs + 1 ms', 'ratio'],
    [...line('in process', inProcess), ...line('over HTTP', overHttp?.completed)],
  );
}

function stepTable(costs: Results['stepCosts']): string {
  return table(
    ['', 'size', 'step µs', '÷ smallest', 'snapshot µs', 'snapshot B', 'compile ms'],
    costs.map((cost) => {
      const smallest = costs.find((other) => other.what === cost.what) ?? cost;
      return [
        smallest === cost ? cost.what : '',
        whole(cost.size),
        fixed(cost.stepUs, 1),
        fixed(cost.stepUs / smallest.stepUs),
        fixed(cost.saveUs, 1),
        whole(cost.snapshotBytes),
        fixed(cost.compileMs, 1),
      ];
    }),
  );
}

function largeStateTable(start: BytesWritten, all: BytesWritten, patchBytes: number): string {
  const row = (what: string, before: number | null, after: number | null) => {
    const steps = before === null || after === null ? null : after - before;
    return [what, wholeOrNot(before), wholeOrNot(steps), fixed(steps === null ? null : steps / patchBytes)];
  };
  return table(
    ['bytes', 'storing the input', 'the steps', 'steps ÷ patches'],
    [
      row(BYTES.bound, start.bound, all.bound),
      row(BYTES.written, start.written, all.written),
      row(BYTES.grown, start.grown, all.grown),
    ],
  );
}

function bytesTable(bytes: BytesWritten, per: number, unit: string): string {
  const row = (what: string, value: number | null) => [what, wholeOrNot(value), fixed(value === null ? null : value / per, 0)];
  return table(
    ['bytes', 'in all', unit],
    [row(BYTES.bound, bytes.bound), row(BYTES.written, bytes.written), row(BYTES.grown, bytes.grown)],
  );
}

const BYTES = {
  bound: 'bound to SQL statements',
  written: 'handed to write(2), WAL and its checkpoints included',
  grown: 'growth of the database file',
};

function wholeOrNot(value: number | null): string {
  return value === null ? '–' : whole(value);
}

function mib(bytes: number): string {
  return fixed(bytes / 2 ** 20, 0);
}
