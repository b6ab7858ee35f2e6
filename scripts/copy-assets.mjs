// Puts the SQL migrations beside the compiled stores, where they are read from.
import { cpSync, readdirSync } from 'node:fs';

for (const engine of readdirSync('store', { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
  cpSync(`store/${engine.name}/migrations`, `dist/store/${engine.name}/migrations`, { recursive: true });
}
