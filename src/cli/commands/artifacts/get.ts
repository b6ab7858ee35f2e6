import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import { ReadOnlyCommand } from '../../base/client-command.ts';
import type { Usage } from '../../base/command.ts';
import { EXIT } from '../../failure.ts';
import { printBytes, writeBytes } from '../../input/bytes.ts';

class ArtifactsGetCommand extends ReadOnlyCommand {
  static override usage: Usage = {
    details: 'Writes the bytes to standard output, or into a file. With --json it tells about them instead.',
    examples: [
      ['Into a file', '$0 artifacts get 9f86d0… --file report.pdf'],
      ['Into a pipe', '$0 artifacts get 9f86d0… | jq .'],
    ],
  };

  hash = Option.String({ name: 'hash' });
  file = Option.String('-o,--file', { description: 'Where to keep it.' });

  protected async request(client: JamjetClient): Promise<number> {
    const { bytes, mediaType } = await client.artifacts.get(this.hash);
    if (this.file !== undefined) await writeBytes(this.file, bytes, this.context);
    if (this.json) this.printJson({ hash: this.hash, size: bytes.length, media_type: mediaType, file: this.file ?? null });
    else if (this.file === undefined) printBytes(bytes, this.context);
    else this.note(`${bytes.length} bytes, ${mediaType ?? 'of no media type'}`);
    return EXIT.ok;
  }
}

export { ArtifactsGetCommand as command };
