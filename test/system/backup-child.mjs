// A process that writes the file of a backup until it is killed: `node backup-child.mjs FILE`. Prints a line once it has begun.
import { writeFileSync } from 'node:fs';
import { writeWhole } from '../../dist/store/sqlite/whole-file.js';

await writeWhole(process.argv[2], async (partial) => {
  for (const suffix of ['', '-wal', '-journal']) writeFileSync(`${partial}${suffix}`, 'pages');
  console.log('writing');
  await new Promise((resolve) => setTimeout(resolve, 600_000));
});
