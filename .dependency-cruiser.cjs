// Module boundaries (ARCHITECTURE.md, Boundaries). A violation names the rule, the file and the import.

/** The store's port: the only part of `store/` that other modules may import. */
const PORT = '^store/port/';
/** Any module but machines may use them. */
const ANYWHERE = '^store/(churn-map|package-files|recently-used)\\.ts$';

/** Packages that the build puts into the shipped program (scripts/bundle.mjs); npm does not install them with it. */
const BUNDLED = [
  '@a2a-js/sdk',
  '@ai-sdk/[^/]+',
  '@fastify/type-provider-typebox',
  '@modelcontextprotocol/sdk',
  '@noble/hashes',
  '@opentelemetry/[^/]+',
  '@viz-js/viz',
  'ajv',
  'clipanion',
  'croner',
  'fastify',
  'get-east-asian-width',
  'lru-cache',
  'pg',
  'pino',
  'prom-client',
  'smol-toml',
  'stemmer',
  'ws',
].join('|');

/** Files in `module` may import only what `allowed` matches, packages and Node's own modules included. */
const only = (name, module, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: module },
  to: { pathNot: allowed },
});

/** Like `only`, for the project's own files: imports of packages and of Node's modules are free. */
const ownFiles = (name, module, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: module },
  to: { path: '^(machines|store|src|bin|console|test|bench|scripts|examples)/', pathNot: `${allowed}|${ANYWHERE}` },
});

/** Packages that only some modules may import. */
const packagesOf = (name, packages, modules, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { pathNot: `^(${modules}|test|bench|scripts)` },
  to: { path: `node_modules/(@types/)?(${packages})/` },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', comment: 'A cycle hides which module owns what.', from: {}, to: { circular: true } },
    {
      name: 'resolvable',
      severity: 'error',
      comment: 'Not installed, or misspelt.',
      from: {},
      to: { couldNotResolve: true, pathNot: '^[./]*dist/' },
    },
    {
      name: 'no-dev-at-run-time',
      severity: 'error',
      comment: 'Shipped code may use only dependencies, and what is bundled.',
      from: { path: '^(machines|store|src|bin)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: `node_modules/(@types|${BUNDLED})/` },
    },

    only(
      'machines-are-pure',
      '^machines/',
      '^machines/|node_modules/(xstate|typebox|@noble/hashes)/',
      'No I/O, no clock, no node:*; only xstate, typebox and @noble/hashes.',
    ),
    {
      name: 'step-below-compile',
      severity: 'error',
      comment:
        'Inside machines: reading → nodes → ir, graph → program → step → compile → replay, history → views. An import never points back.',
      from: { path: '^machines/(reading|nodes|ir|redaction|graph|expression|program|step)/' },
      to: { path: '^machines/(compile|replay|history|views)/' },
    },
    {
      name: 'program-below-step',
      severity: 'error',
      comment: 'The tables of a compiled workflow know nothing of the step that reads them.',
      from: { path: '^machines/(reading|nodes|ir|redaction|graph|expression|program)/' },
      to: { path: '^machines/step/' },
    },
    {
      name: 'engine-below-the-rest',
      severity: 'error',
      comment:
        'Inside the runtime: log, scheduling → engine → queries, quotas, timers → activities, history → cluster → commands.',
      from: { path: '^src/runtime/(log|scheduling|types|engine)/' },
      to: { path: '^src/runtime/(queries|quotas|timers|activities|history|cluster|commands)/' },
    },
    {
      name: 'commands-on-top',
      severity: 'error',
      comment: 'Commands use every other part of the runtime; only index.ts imports commands.',
      from: { path: '^src/runtime/', pathNot: '^src/runtime/(commands/|index\\.ts$)' },
      to: { path: '^src/runtime/commands/' },
    },
    {
      name: 'port-below-engines',
      severity: 'error',
      comment: 'The port of the store imports nothing else of the store.',
      from: { path: '^store/port/' },
      to: { path: '^store/', pathNot: '^store/port/' },
    },
    ownFiles(
      'store-stands-alone',
      '^store/',
      '^(store|machines/events)/',
      'Of machines and src, the store knows the declarations of events alone: a snapshot is opaque text there.',
    ),
    ownFiles(
      'runtime-boundary',
      '^src/runtime/',
      `^(src/(runtime|executors)|machines)/|${PORT}`,
      'runtime → machines, executors, the store port.',
    ),
    ownFiles(
      'control-boundary',
      '^src/control/',
      `^(src/(control|runtime|executors)|machines)/|^src/cron-expression\\.ts$|${PORT}`,
      'control → runtime, executors, machines, the store port, cron-expression.',
    ),
    ownFiles('executors-boundary', '^src/executors/', '^(src/executors|machines)/', 'executors → machines.'),
    ownFiles(
      'authoring-boundary',
      '^src/authoring/',
      '^(src/authoring|machines)/|^src/cron-expression\\.ts$',
      'authoring → machines, cron-expression.',
    ),
    ownFiles(
      'builder-boundary',
      '^src/builder/',
      '^(src/(authoring|builder|runtime/types)|machines)/',
      'builder → authoring, machines, the types of the runtime.',
    ),
    ownFiles(
      'project-boundary',
      '^src/project/',
      '^(src/(authoring|builder|client|library|project|runtime/types)|machines)/|^src/index\\.ts$',
      'project → authoring, builder, machines, the types of the runtime; the library, for files without a copy of it.',
    ),
    ownFiles('testing-boundary', '^src/testing/', '^(src/(testing|authoring)|machines)/', 'testing → authoring, machines.'),
    ownFiles(
      'telemetry-boundary',
      '^src/telemetry/',
      `^(src/(telemetry|runtime)|machines)/|${PORT}`,
      'telemetry → runtime, machines, the store port.',
    ),
    ownFiles(
      'api-boundary',
      '^src/api/',
      `^(src/(api|authoring|control|diagrams|runtime|telemetry|testing|views)|machines)/|^src/server/(config|times|tokens)\\.ts$|${PORT}`,
      'api → authoring, control, diagrams, views, runtime, telemetry, testing, machines, the store port; config, times and tokens of server.',
    ),
    ownFiles(
      'evaluation-boundary',
      '^src/evaluation/',
      '^(src/(evaluation|executors)|machines)/',
      'evaluation → executors, machines.',
    ),
    ownFiles(
      'worker-boundary',
      '^src/worker/',
      '^src/(worker|client|executors)/|^src/runtime/(clock\\.ts$|types/)|^src/api/(operations|schemas)/|^machines/',
      'worker → client, executors, types of the runtime and the API, machines.',
    ),
    ownFiles('views-boundary', '^src/views/', '^(src/views|machines)/', 'views → machines.'),
    ownFiles('diagrams-boundary', '^src/diagrams/', '^(src/(diagrams|views)|machines)/', 'diagrams → views, machines.'),
    ownFiles(
      'cli-boundary',
      '^src/cli/',
      '^src/(cli|client|worker|authoring|diagrams|evaluation|project|server|testing|views)/|^machines/((json|diagnostics|message-text|suggest)\\.ts$|history/)',
      'cli → client, authoring, project, testing, evaluation, diagrams, views, server, worker, machines/history.',
    ),
    {
      name: 'client-boundary',
      severity: 'error',
      comment: 'The client takes only types, so that a CLI command starts in a tenth of a second.',
      from: { path: '^src/client(\\.ts|/)' },
      to: { dependencyTypesNot: ['type-only'], pathNot: '^src/client/' },
    },
    ownFiles(
      'console-boundary',
      '^console/',
      '^(console|machines)/|^src/(api/(operations|schemas)|client|views)/|^src/cron-expression\\.ts$',
      'console → client, views, machines, cron-expression, schemas of the API (its build makes JSON of them).',
    ),
    only('bin-boundary', '^bin/', '^[./]*dist/bundle/src/cli/', 'bin → cli.'),

    packagesOf(
      'drivers-in-their-engine',
      'better-sqlite3|pg',
      'store/(sqlite|postgres)/',
      'SQL drivers stay inside store/sqlite and store/postgres.',
    ),
    packagesOf(
      'xstate-in-machines',
      'xstate',
      '(machines/|src/executors/durable/machine/|src/builder/durable-machine\\.ts$)',
      'XState only in machines, and where machines of authors are defined and run: the rest sees runs, messages and effects.',
    ),
    packagesOf('fastify-in-api', 'fastify|@fastify/[^/]+', 'src/api/', 'Fastify only in src/api.'),
    packagesOf('drawing-in-diagrams', '@viz-js/viz|@resvg/resvg-js', 'src/diagrams/', 'Layout and bitmaps only in src/diagrams.'),
    packagesOf('prometheus-in-telemetry', 'prom-client', 'src/telemetry/metrics/', 'prom-client only in src/telemetry/metrics.'),
    packagesOf(
      'opentelemetry-in-telemetry',
      '@opentelemetry/[^/]+',
      'src/telemetry/traces/',
      'The SDK of OpenTelemetry only in src/telemetry/traces.',
    ),
    packagesOf('sockets-in-stately', 'ws', 'src/cli/stately/', 'WebSockets only where an execution is shown to viewers.'),
    packagesOf('loading-in-project', 'jiti', 'src/project/', 'Modules of users are loaded in src/project only.'),
    packagesOf(
      'react-in-console',
      'react|react-dom|@xyflow/[^/]+|@tanstack/[^/]+|wouter',
      'console/',
      'React only in the console.',
    ),
    packagesOf('clipanion-in-cli', 'clipanion|typanion', 'src/cli/', 'clipanion only in src/cli.'),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules|^dist/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
