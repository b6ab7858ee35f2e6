import { extname } from 'node:path';
import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import { ClientCommand } from '../../base/client-command.ts';
import type { Usage } from '../../base/command.ts';
import { EXIT, Failure } from '../../failure.ts';
import { readBytes } from '../../input/bytes.ts';

const MAX_BYTES = 8 * 1024 * 1024;

/** Media types by file suffix, used without --media-type. */
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
    details: 'Prints the hash of the artifact. At most 8 MiB; equal content is stored once. - reads standard input.',
    examples: [
      ['Store a file', '$0 artifacts put report.pdf'],
      ['Store the output of a program', 'pg_dump … | $0 artifacts put - --media-type application/sql'],
      [
        'Pass an artifact to an execution',
        `$0 run review.yaml --input "{\\"report\\": \\"$($0 artifacts put report.pdf --json | jq -r .hash)\\"}"`,
      ],
    ],
  };

  file = Option.String({ name: 'file' });
  mediaType = Option.String('--media-type', { description: 'Media type (default: by the suffix of the file).' });

  protected async request(client: JamjetClient): Promise<number> {
    const bytes = await readBytes(this.file, this.context);
    if (bytes.length > MAX_BYTES)
      throw new Failure(`${this.file} is too large: ${bytes.length} bytes, at most ${MAX_BYTES} are allowed`);
    const stored = await client.artifacts.put(bytes, this.mediaType ?? MEDIA_TYPES[extname(this.file).toLowerCase()] ?? null);
    if (this.json) this.printJson(stored);
    else {
      this.print(stored.hash);
      this.note(`${stored.size} bytes, ${stored.media_type ?? 'no media type'}`);
    }
    return EXIT.ok;
  }
}

export { ArtifactsPutCommand as command };
