// Draws every example into docs/diagrams/. Run it with `npm run diagrams`, which builds first; a test compares them with the examples.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const FOLDER = 'docs/diagrams';

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER);
for (const file of readdirSync('examples', { recursive: true }).filter((name) => name.endsWith('.yaml'))) {
  const path = join('examples', file);
  const stem = basename(file, '.yaml');
  const name = ['workflow', 'agent', 'fleet'].includes(stem) ? dirname(file) : stem;
  const compiled = JSON.parse(execFileSync('node', ['bin/jamjet.js', 'validate', path, '--output', '-'], { encoding: 'utf8' }));
  const units = Array.isArray(compiled) ? compiled.map(({ workflow_id }) => [`${name}.${workflow_id}`, workflow_id]) : [[name]];
  for (const [title, ...unit] of units) {
    const words = ['visualize', path, ...unit, '-o', join(FOLDER, `${title}.svg`)];
    execFileSync('node', ['bin/jamjet.js', ...words], { stdio: 'inherit' });
  }
}
