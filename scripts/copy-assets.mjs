// Copies files that are not TypeScript next to the compiled code that reads them: SQL migrations, the assets of diagrams, and the
// templates of `jamjet create`.
import { cpSync, existsSync, readdirSync } from 'node:fs';

const folders = readdirSync('store', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => `store/${entry.name}/migrations`);
for (const folder of folders.filter((name) => existsSync(name))) cpSync(folder, `dist/${folder}`, { recursive: true });
cpSync('src/diagrams/assets', 'dist/src/diagrams/assets', { recursive: true });
cpSync('src/cli/templates', 'dist/src/cli/templates', { recursive: true });
