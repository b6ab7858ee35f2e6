import { extname } from 'node:path';
import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import { ClientCommand } from '../../base/client-command.ts';
import type { Usage } from '../../base/command.ts';
import { EXIT, Failure } from '../../failure.ts';
import { readBytes } from '../../input/bytes.ts';

const MAX_BYTES = 8 * 1024 * 1024;

/** What files of that kind are, when --media-type does not say. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.csv': 'text/csv',
  '.gif': 'image/gif',
  '.html': 'text/html',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.json': 'application/json',
  '.md': 'text/markdown',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.webp': 'image/webp',
  '.xml': 'application/xml',
  '.yaml': 'application/yaml',
  '.yml': 'application/yaml',
  '.zip': 'application/zip',
};

class ArtifactsPutCommand extends ClientCommand {
  static override usage: Usage = {
    details: 'Prints the hash under which it is kept: at most 8 MiB, each content once. - reads standard input.',
    examples: [
      ['A file', '$0 artifacts put report.pdf'],
      ['What a program prints', 'pg_dump … | $0 artifacts put - --media-type application/sql'],
      [
        'As the input of a run',
        `$0 run review.yaml --input "{\\"report\\": \\"$($0 artifacts put report.pdf --json | jq -r .hash)\\"}"`,
      ],
    ],
  };

  file = Option.String({ name: 'file' });
  mediaType = Option.String('--media-type', { description: 'What it is (default: by the name of the file).' });

  protected async request(client: JamjetClient): Promise<number> {
    const bytes = await readBytes(this.file, this.context);
    if (bytes.length > MAX_BYTES)
      throw new Failure(`${this.file} has ${bytes.length} bytes; an artifact has at most ${MAX_BYTES}`);
    const stored = await client.artifacts.put(bytes, this.mediaType ?? MEDIA_TYPES[extname(this.file).toLowerCase()] ?? null);
    if (this.json) this.printJson(stored);
    else {
      this.print(stored.hash);
      this.note(`${stored.size} bytes, ${stored.media_type ?? 'of no media type'}`);
    }
    return EXIT.ok;
  }
}

export { ArtifactsPutCommand as command };
