// Copies files that are not TypeScript next to the compiled code that reads them: SQL migrations, the assets of diagrams, and the
// templates of `jamjet create`.
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';

const folders = readdirSync('store', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => `store/${entry.name}/migrations`);
const assets = [...folders.filter((name) => existsSync(name)), 'src/diagrams/assets', 'src/cli/templates'];
for (const folder of assets) {
  // A file that was renamed must not stay beside its new name: a second migration of a number stops every server.
  rmSync(`dist/${folder}`, { recursive: true, force: true });
  cpSync(folder, `dist/${folder}`, { recursive: true });
}
