// The doors between the rooms (ARCHITECTURE.md). A violation names the rule, the file and the import.

/** The port of the store: what the rest may see of it. */
const PORT = '^store/(store|rows|writes|errors|notices)\\.ts$|^store/resources/';

/** What lies in `room` may import, of all there is, only what `allowed` matches. */
const only = (name, room, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: room },
  to: { pathNot: allowed },
});

/** Like `only`, but free in what it takes from Node and from packages. */
const ours = (name, room, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: room },
  to: { path: '^(machines|store|src|bin|test|bench|scripts|examples)/', pathNot: allowed },
});

/** A package that only one room may know. */
const home = (name, packages, rooms, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { pathNot: `^(${rooms}|test|bench|scripts)` },
  to: { path: `node_modules/(@types/)?(${packages})/` },
});

module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', comment: 'A circle hides who owns what.', from: {}, to: { circular: true } },
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
      comment: 'Shipped code may use only dependencies.',
      from: { path: '^(machines|store|src|bin)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: 'node_modules/@types/' },
    },

    only(
      'machines-are-pure',
      '^machines/',
      '^machines/|node_modules/(xstate|typebox|@noble/hashes)/',
      'No I/O, no clock, no node:*; only xstate, typebox and @noble/hashes.',
    ),
    ours(
      'store-stands-alone',
      '^store/',
      '^store/',
      'The store knows neither machines nor src: a snapshot is opaque text there.',
    ),
    ours(
      'runtime-door',
      '^src/runtime/',
      `^(src/(runtime|executors)|machines)/|${PORT}`,
      'runtime → machines, executors, the store port.',
    ),
    ours(
      'control-door',
      '^src/control/',
      `^(src/(control|runtime|executors)|machines)/|${PORT}`,
      'control → runtime, executors, machines, the store port.',
    ),
    ours('executors-door', '^src/executors/', '^(src/executors|machines)/', 'executors → machines.'),
    ours('authoring-door', '^src/authoring/', '^(src/authoring|machines)/', 'authoring → machines.'),
    ours('testing-door', '^src/testing/', '^(src/(testing|authoring)|machines)/', 'testing → authoring, machines.'),
    ours(
      'api-door',
      '^src/api/',
      `^(src/(api|control|pictures|runtime)|machines)/|^src/(config|times|tokens)\\.ts$|${PORT}`,
      'api → control, pictures, runtime, machines, the store port, config, times, tokens.',
    ),
    ours('pictures-door', '^src/pictures/', '^(src/pictures|machines)/', 'pictures → machines.'),
    ours(
      'cli-door',
      '^src/cli/',
      '^src/(cli|authoring|pictures|testing)/|^src/(admin|client|compose|config|databases|times|tools|tokens)\\.ts$|^machines/(json|diagnostics|suggest)\\.ts$',
      'cli → admin, client, authoring, testing, compose, config, databases, pictures, times, tools, tokens.',
    ),
    {
      name: 'client-door',
      severity: 'error',
      comment: 'The client takes only types, so that a CLI command starts in a tenth of a second.',
      from: { path: '^src/client(\\.ts|/)' },
      to: { dependencyTypesNot: ['type-only'], pathNot: '^src/client/' },
    },
    only('bin-door', '^bin/', '^[./]*dist/src/cli/', 'bin → cli.'),

    home(
      'drivers-in-their-engine',
      'better-sqlite3|pg',
      'store/(sqlite|postgres)/',
      'SQL drivers stay inside store/sqlite and store/postgres.',
    ),
    home('xstate-in-machines', 'xstate', 'machines/', 'XState only in machines: the rest sees runs, messages and effects.'),
    home('fastify-in-api', 'fastify|@fastify/[^/]+', 'src/api/', 'Fastify only in src/api.'),
    home('drawing-in-pictures', '@viz-js/viz|@resvg/resvg-js', 'src/pictures/', 'Layout and bitmaps only in src/pictures.'),
    home('sockets-in-stately', 'ws', 'src/cli/stately/', 'WebSockets only where an execution is shown to viewers.'),
    home('clipanion-in-cli', 'clipanion|typanion', 'src/cli/', 'clipanion only in src/cli.'),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules|^dist/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
