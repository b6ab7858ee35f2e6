// The doors between the rooms (ARCHITECTURE.md). A violation names the rule, the file and the import.
const only = (name, from, pathNot, comment) => ({ name, comment, severity: 'error', from: { path: from }, to: { pathNot } });

module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', comment: 'A circle hides who owns what.', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', comment: 'Not installed, or misspelt.', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-dev-at-run-time',
      severity: 'error',
      comment: 'Shipped code may use only dependencies.',
      from: { path: '^(machines|store|src|bin)/' },
      to: { dependencyTypes: ['npm-dev'], pathNot: 'node_modules/(@types|better-sqlite3|pg)/' },
    },
    only('machines-are-pure', '^machines/', '^machines/|node_modules/(xstate|typebox|@noble/hashes)/', 'No I/O, no clock, no node:* in machines.'),
    only('store-stands-alone', '^store/', '^store/|^node:|^(crypto|fs|path|url|os|module|events|util|worker_threads|timers)(/|$)|node_modules/(better-sqlite3|pg|@types/better-sqlite3|@types/pg|@noble/hashes)/', 'The store knows neither machines nor src.'),
    {
      name: 'drivers-in-their-engine',
      severity: 'error',
      comment: 'SQL drivers stay inside store/sqlite and store/postgres.',
      from: { pathNot: '^(store/(sqlite|postgres)/|test/|bench/)' },
      to: { path: 'node_modules/(@types/)?(better-sqlite3|pg)/' },
    },
    {
      name: 'runtime-door',
      severity: 'error',
      comment: 'runtime → machines, store/store.ts, executors.',
      from: { path: '^src/runtime/' },
      to: { path: '^(src|store)/', pathNot: '^src/(runtime|executors)/|^store/store\\.ts$' },
    },
    { name: 'executors-door', severity: 'error', comment: 'executors → machines.', from: { path: '^src/executors/' }, to: { path: '^(src|store)/', pathNot: '^src/executors/' } },
    { name: 'authoring-door', severity: 'error', comment: 'authoring → machines.', from: { path: '^src/authoring/' }, to: { path: '^(src|store)/', pathNot: '^src/authoring/' } },
    {
      name: 'api-door',
      severity: 'error',
      comment: 'api → runtime, machines, store/store.ts, config.',
      from: { path: '^src/api/' },
      to: { path: '^(src|store)/', pathNot: '^src/(api|runtime)/|^src/config\\.ts$|^store/store\\.ts$' },
    },
    {
      name: 'cli-door',
      severity: 'error',
      comment: 'cli → client, authoring, compose, config.',
      from: { path: '^src/cli/' },
      to: { path: '^(src|store|machines)/', pathNot: '^src/(cli|authoring)/|^src/(client|compose|config|tools)\\.ts$|^machines/(json|diagnostics)\\.ts$' },
    },
    { name: 'fastify-in-api', severity: 'error', comment: 'Fastify only in src/api.', from: { pathNot: '^(src/api|test)/' }, to: { path: 'node_modules/(fastify|@fastify)/' } },
    { name: 'clipanion-in-cli', severity: 'error', comment: 'clipanion only in src/cli.', from: { pathNot: '^(src/cli|test)/' }, to: { path: 'node_modules/(clipanion|typanion)/' } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
