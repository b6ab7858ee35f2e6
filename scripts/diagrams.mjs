// Draws every example into docs/diagrams/. Run it with `npm run diagrams`, which builds first; a test compares them with the examples.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const FOLDER = 'docs/diagrams';

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER);
for (const file of readdirSync('examples', { recursive: true }).filter((name) => name.endsWith('.yaml'))) {
  const name = basename(file, '.yaml') === 'workflow' ? dirname(file) : basename(file, '.yaml');
  execFileSync('node', ['bin/jamjet.js', 'visualize', join('examples', file), '-o', join(FOLDER, `${name}.svg`)], {
    stdio: 'inherit',
  });
}
