// Puts the SQL migrations beside the compiled stores, where they are read from.
import { cpSync, existsSync, readdirSync } from 'node:fs';

const folders = readdirSync('store', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => `store/${entry.name}/migrations`);
for (const folder of folders.filter((name) => existsSync(name))) cpSync(folder, `dist/${folder}`, { recursive: true });
