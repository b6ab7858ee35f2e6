import type { Table } from '../figures.ts';
import { installedPostgres } from '../subjects/postgres-server.ts';

export interface Section {
  readonly about: string;
  /** Measured only if named, because it takes long. */
  readonly onRequest?: true;
  /** What it cannot be measured without, if that is missing. */
  missing?(): string | undefined;
  /** Flags of Node for its process. */
  readonly flags?: readonly string[];
  /** Its modules are loaded when it is measured, so that a section that does not fit another checkout leaves the others measurable. */
  measure(folder: string): Promise<readonly Table[]>;
}

const sections = {
  inProcess: {
    about: 'three-node executions, start → completed, in process: 1, 64, 256 at once',
    measure: async (folder) => (await import('./throughput/in-process.ts')).inProcess(folder),
  },
  map: {
    about: 'an item of a map, by the length of its list: 10, 100, 1,000, 10,000',
    measure: async (folder) => (await import('./throughput/map.ts')).map(folder),
  },
  functions: {
    about: 'a step of a durable function beside a tool node, a journal of 1,000 operations, 10,000 parked functions',
    measure: async (folder) => (await import('./throughput/functions.ts')).functions(folder),
  },
  latency: {
    about: 'one execution at a time in process, beside the time of an fsync',
    measure: async (folder) => (await import('./throughput/latency.ts')).latency(folder),
  },
  rawLoop: {
    about: 'the ceiling of the storage: a plain better-sqlite3 loop that writes the same facts, and the same statements',
    measure: async (folder) => (await import('./throughput/raw-loop.ts')).rawLoop(folder),
  },
  overHttp: {
    about: 'three-node executions, and starts alone, over HTTP with authentication: 1, 64, 256 at once',
    measure: async (folder) => (await import('./throughput/over-http.ts')).overHttp(folder),
  },
  rawHttp: {
    about: 'the ceiling of HTTP: node:http and a bare Fastify with the same two requests per execution',
    measure: async () => (await import('./throughput/raw-http.ts')).rawHttp(),
  },
  starts: {
    about: 'durable starts in process: 1, 64, 256 at once',
    measure: async (folder) => (await import('./throughput/in-process.ts')).starts(folder),
  },
  mixed: {
    about: 'an approval, a retry, a wait, a state of 20 KB and an external worker beside the trivial workload',
    measure: async (folder) => (await import('./throughput/mixed.ts')).mixed(folder),
  },
  perExecution: {
    about: 'allocated memory, statements, bound values and transactions per three-node execution',
    // A young generation that holds all that is allocated, so that no garbage collection interferes.
    flags: ['--min-semi-space-size=512', '--max-semi-space-size=512'],
    measure: async (folder) => (await import('./throughput/per-execution.ts')).perExecution(folder),
  },
  survivors: {
    about: 'memory per execution that outlives the young generation',
    measure: async (folder) => (await import('./throughput/survivors.ts')).survivors(folder),
  },
  counts: {
    about: 'transactions, statements, pages and turns of the event loop per execution, one at a time',
    measure: async (folder) => (await import('./throughput/counts.ts')).counts(folder),
  },
  postgresCounts: {
    about: 'round trips and bytes per execution on PostgreSQL, one at a time',
    missing: withoutPostgres,
    measure: async () => (await import('./throughput/counts.ts')).postgresCounts(),
  },
  stepCosts: {
    about: 'CPU time of one message in the machine: chains, fan-outs, long logs',
    measure: async () => (await import('./throughput/step-costs.ts')).stepCosts(),
  },
  imports: {
    about: 'modules and CPU of each entry of the library, and of the command line, as compiled',
    measure: async () => (await import('./imports.ts')).imports(),
  },
  largeState: {
    about: 'bytes written by 1,000 steps on a state of 1 MB',
    measure: async (folder) => (await import('./storage/bytes.ts')).largeState(folder),
  },
  smallExecutions: {
    about: 'bytes of a three-node execution, by table',
    measure: async (folder) => (await import('./storage/bytes.ts')).smallExecutions(folder),
  },
  conversation: {
    about: 'bytes, memory and time of the turns of a conversation of 100 and 1,000 turns',
    measure: async (folder) => (await import('./storage/conversation.ts')).conversation(folder),
  },
  dormant: {
    about: 'memory and disk of 100,000 executions that wait for an event',
    measure: async (folder) => (await import('./scale/dormant.ts')).dormant(folder),
  },
  hot: {
    about: 'memory of 10,000 executions that are at work',
    measure: async (folder) => (await import('./scale/hot.ts')).hot(folder),
  },
  longLog: {
    about: 'pages and states of one execution with 100,000 events',
    measure: async (folder) => (await import('./scale/long-log.ts')).longLog(folder),
  },
  restart: {
    about: 'restart of the server with 100,000 live executions',
    measure: async (folder) => (await import('./scale/restart.ts')).restart(folder),
  },
  postgres: {
    about: 'one and two servers on one PostgreSQL, and bytes by table',
    missing: withoutPostgres,
    measure: async (folder) => (await import('./scale/postgres.ts')).postgres(folder),
  },
  distantPostgres: {
    about: '500 starts with and without keys, and turns of threads, on a PostgreSQL 1 ms away, beside starts of another tenant',
    missing: withoutPostgres,
    measure: async () => (await import('./scale/distant-postgres.ts')).distantPostgres(),
  },
  lists: {
    about: 'pages of a list of 1,000,000 executions',
    onRequest: true,
    measure: async (folder) => (await import('./scale/lists.ts')).lists(folder),
  },
  audit: {
    about: 'searches in the audit log of 1,000,000 executions',
    onRequest: true,
    measure: async (folder) => (await import('./scale/audit.ts')).audit(folder),
  },
  streams: {
    about: '1,000 idle event streams',
    onRequest: true,
    measure: async (folder) => (await import('./scale/streams.ts')).streams(folder),
  },
  postgresCluster: {
    about: 'one, two and three servers on one PostgreSQL with 64 and 256 clients',
    onRequest: true,
    missing: withoutPostgres,
    measure: async (folder) => (await import('./scale/postgres.ts')).postgresCluster(folder),
  },
  parkedFunctions: {
    about: 'memory and disk of 100,000 durable functions that wait, beside 100,000 waits',
    onRequest: true,
    measure: async (folder) => (await import('./throughput/functions.ts')).parkedFunctions(folder),
  },
  overload: {
    about: 'starts over HTTP at the rate that is sustained, and at two and five times that: refusals, latencies of the rest',
    onRequest: true,
    measure: async (folder) => (await import('./scale/overload.ts')).overload(folder),
  },
  restartByKind: {
    about: 'restart of the server with 100,000 live executions of each kind',
    onRequest: true,
    measure: async (folder) => (await import('./scale/restart.ts')).restartByKind(folder),
  },
} satisfies Record<string, Section>;

export type SectionName = keyof typeof sections;

/** Sections of the bench, each measured in its own process with a new heap. */
export const SECTIONS: Readonly<Record<SectionName, Section>> = sections;
export const SECTION_NAMES = Object.keys(SECTIONS) as readonly SectionName[];

export function isSection(name: string): name is SectionName {
  return Object.hasOwn(SECTIONS, name);
}

function withoutPostgres(): string | undefined {
  return installedPostgres() === null ? 'no PostgreSQL is installed (apt-get install postgresql)' : undefined;
}
