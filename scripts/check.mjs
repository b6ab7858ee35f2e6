// Runs everything that a change must pass, cheap steps first. Prints failed steps and how to fix them.
//   npm run check                       all steps
//   npm run check -- lint types         only these
//   npm run check -- --except tests     all but these
import { spawn } from 'node:child_process';

const STEPS = [
  { name: 'format', command: 'biome format .', fix: '`npm run format` rewrites the files' },
  { name: 'lint', command: 'biome lint --error-on-warnings .', fix: '`npx biome lint --write .` applies the safe fixes' },
  {
    name: 'boundaries',
    command: 'npm run --silent boundaries',
    fix: 'a module may only import what ARCHITECTURE.md (Boundaries) allows: move the code or pass the value in',
  },
  { name: 'words', command: 'node scripts/vocabulary.mjs', fix: 'use the given term' },
  {
    name: 'dead',
    command: 'knip && knip --production',
    fix: 'delete unused code, or remove its `export`; what only tests use belongs to test/',
  },
  { name: 'types', command: 'npm run --silent types', fix: 'the compiler prints the file and the line' },
  {
    name: 'shapes',
    command: 'node scripts/shapes.mjs',
    fix: 'write `{ key, ...object }`, all keys, or Object.assign; or a comment `// New shape: REASON.`',
  },
  {
    name: 'build',
    command: 'node scripts/prepare.mjs',
    fix: 'as for types; the CLI, the bench and the system tests run dist/',
  },
  { name: 'tests', command: 'npm run --silent test', fix: '`npx vitest run FILE -t NAME` runs one test' },
];

/** Runs a step. Its output is shown only if it fails, except for the tests, which show their progress. */
function run(step) {
  const started = performance.now();
  return new Promise((resolve) => {
    const child = spawn(step.command, { shell: true, stdio: step.name === 'tests' ? 'inherit' : ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout?.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      output += chunk;
    });
    child.on('error', (error) => resolve({ step, passed: false, output: String(error), seconds: 0 }));
    child.on('close', (code) => {
      resolve({ step, passed: code === 0, output, seconds: (performance.now() - started) / 1000 });
    });
  });
}

function chosen(args) {
  const except = args[0] === '--except';
  const names = except ? args.slice(1) : args;
  const unknown = names.filter((name) => !STEPS.some((step) => step.name === name));
  if (unknown.length > 0 || (except && names.length === 0)) {
    console.error(`usage: npm run check -- [--except] STEP…   steps: ${STEPS.map((step) => step.name).join(', ')}`);
    process.exit(2);
  }
  if (names.length === 0) return STEPS;
  return STEPS.filter((step) => names.includes(step.name) !== except);
}

// npx and npm put node_modules/.bin on the path; so does this, for `node scripts/check.mjs`.
process.env.PATH = `node_modules/.bin:${process.env.PATH}`;
const failed = [];
for (const step of chosen(process.argv.slice(2))) {
  const result = await run(step);
  console.log(`${result.passed ? '✓' : '✗'} ${step.name.padEnd(10)} ${result.seconds.toFixed(1).padStart(6)} s`);
  if (result.passed) continue;
  failed.push(step);
  if (result.output.trim() !== '') console.log(`\n${result.output.trim()}\n`);
}
for (const step of failed) console.log(`✗ ${step.name} failed: ${step.fix}`);
process.exitCode = failed.length === 0 ? 0 : 1;
