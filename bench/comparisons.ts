/** Section, row and column of a figure. */
export type FigureName = readonly [section: string, row: string, column: string];

/** One figure, alone or related to others of the same run, so that it says something on any machine. */
export interface Comparison {
  readonly what: string;
  readonly of: FigureName;
  /** Divides the figure. */
  readonly to?: FigureName;
  /** The time of so many fsyncs is subtracted from the figure. */
  readonly beyond?: { readonly fsyncs: number; readonly fsync: FigureName };
  readonly target?: { readonly atLeast: number } | { readonly atMost: number };
}

const EACH_SECOND = 'a second';
const CPU_EACH = 'CPU µs each';
const P50 = 'p50 ms';

export const COMPARISONS: readonly Comparison[] = [
  {
    what: 'durable starts in process, 256 at once, a second',
    of: ['starts', '256 at once', EACH_SECOND],
    target: { atLeast: 20_000 },
  },
  { what: 'durable starts over HTTP, 64 at once, a second', of: ['overHttp', 'starts, 64 at once', EACH_SECOND] },
  ...(
    [
      ['start → done', 4],
      ['approve → done', 2],
    ] as const
  ).map(
    ([act, fsyncs]): Comparison => ({
      what: `${act} in process, 1 at once, p50 ms beyond ${fsyncs} fsyncs`,
      of: ['latency', `${act}, ${fsyncs} commits`, P50],
      beyond: { fsyncs, fsync: ['latency', `${act}, ${fsyncs} commits`, 'fsync p50 ms'] },
      target: { atMost: 0.5 },
    }),
  ),
  {
    what: 'CPU of an execution in process, 64 at once, µs',
    of: ['inProcess', '64 at once', CPU_EACH],
    target: { atMost: 140 },
  },
  {
    what: 'heap allocated by an execution in process, KiB',
    of: ['perExecution', 'three-node execution', 'allocated KiB'],
    target: { atMost: 90 },
  },
  ...[1, 64, 256].map(
    (concurrency): Comparison => ({
      what: `in process, ${concurrency} at once ÷ plain loop, executions a second, in alternation`,
      of: ['rawLoop', `${concurrency} at once`, '÷ plain loop'],
      ...(concurrency === 64 ? { target: { atLeast: 0.6 } } : {}),
    }),
  ),
  {
    what: 'in process, 64 at once ÷ plain loop, CPU µs',
    of: ['rawLoop', '64 at once', CPU_EACH],
    to: ['rawLoop', '64 at once', 'plain loop, CPU µs each'],
  },
  {
    what: 'in process, 256 at once ÷ 64 at once, executions a second',
    of: ['inProcess', '256 at once', EACH_SECOND],
    to: ['inProcess', '64 at once', EACH_SECOND],
  },
  ...['bare Fastify', 'node:http'].flatMap((server): Comparison[] => [
    {
      what: `over HTTP, 64 at once ÷ ${server}, executions a second`,
      of: ['overHttp', 'completed, 64 at once', EACH_SECOND],
      to: ['rawHttp', `${server}, 64 at once`, EACH_SECOND],
    },
    {
      what: `over HTTP, 64 at once ÷ ${server}, server CPU µs`,
      of: ['overHttp', 'completed, 64 at once', CPU_EACH],
      to: ['rawHttp', `${server}, 64 at once`, CPU_EACH],
    },
  ]),
  {
    what: 'starts accepted at 5× the sustained rate ÷ at 1×, p99 ms',
    of: ['overload', '5×', 'p99 ms'],
    to: ['overload', '1×', 'p99 ms'],
    target: { atMost: 2 },
  },
  {
    what: 'file bytes of an execution, SQLite',
    of: ['smallExecutions', 'three-node execution', 'growth of the file'],
    target: { atMost: 1_200 },
  },
  {
    what: 'bytes of an execution, PostgreSQL',
    of: ['postgres', 'all tables', 'with indices'],
    target: { atMost: 2_500 },
  },
  {
    what: 'first page of a log of 100,000 events, ms',
    of: ['longLog', 'first page of 100 events', P50],
    target: { atMost: 5 },
  },
  ...[25, 50, 75, 100].map(
    (percent): Comparison => ({
      what: `state at ${percent} % of a log of 100,000 events, ms`,
      of: ['longLog', `state at ${percent} %`, P50],
      target: { atMost: 150 },
    }),
  ),
  {
    what: 'restart with 100,000 live executions, until /health answers, ms',
    of: ['restart', 'a third of each kind', 'took ms'],
    target: { atMost: 1_000 },
  },
  { what: 'heap with 100,000 dormant executions, MiB', of: ['dormant', 'started', 'heap MiB'] },
  { what: 'heap with 10,000 hot executions, MiB', of: ['hot', 'hot', 'heap MiB'] },
];
