// Puts what is no TypeScript beside the compiled code that reads it: the SQL migrations, the page of drawings.
import { cpSync, existsSync, readdirSync } from 'node:fs';

const folders = readdirSync('store', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => `store/${entry.name}/migrations`);
for (const folder of folders.filter((name) => existsSync(name))) cpSync(folder, `dist/${folder}`, { recursive: true });
cpSync('src/diagrams/assets', 'dist/src/diagrams/assets', { recursive: true });
