import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import { ReadOnlyCommand } from '../../base/client-command.ts';
import type { Usage } from '../../base/command.ts';
import { EXIT } from '../../failure.ts';
import { printBytes, writeBytes } from '../../input/bytes.ts';

class ArtifactsGetCommand extends ReadOnlyCommand {
  static override usage: Usage = {
    details: 'Writes the bytes to standard output or to a file. With --json, prints metadata instead.',
    examples: [
      ['Write to a file', '$0 artifacts get 9f86d0… --file report.pdf'],
      ['Write to a pipe', '$0 artifacts get 9f86d0… | jq .'],
    ],
  };

  hash = Option.String({ name: 'hash' });
  file = Option.String('-o,--file', { description: 'Write to this file.' });

  protected async request(client: JamjetClient): Promise<number> {
    const { bytes, mediaType } = await client.artifacts.get(this.hash);
    if (this.file !== undefined) await writeBytes(this.file, bytes, this.context);
    if (this.json) this.printJson({ hash: this.hash, size: bytes.length, media_type: mediaType, file: this.file ?? null });
    else if (this.file === undefined) printBytes(bytes, this.context);
    else this.note(`${bytes.length} bytes, ${mediaType ?? 'no media type'}`);
    return EXIT.ok;
  }
}

export { ArtifactsGetCommand as command };
