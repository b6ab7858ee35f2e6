import { once } from 'node:events';
import { open, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import { ReadOnlyCommand } from '../../base/client-command.ts';
import type { Usage } from '../../base/command.ts';
import { EXIT, Failure } from '../../failure.ts';
import { fileProblem, integerArgument } from '../../input/arguments.ts';

class AuditExportCommand extends ReadOnlyCommand {
  static override usage: Usage = {
    details: `Exports the audit log of the token's tenant, one JSON object per line, with a proof of completeness. \`jamjet audit verify --file\` checks
the export without the server and without the events of other tenants. Requires a token of an operator.`,
    examples: [
      ['Export to a file', '$0 audit export -o audit.jsonl'],
      ['Continue an export that ended with block 4711', '$0 audit export --from-block 4712 -o march.jsonl'],
      ['Export compressed', '$0 audit export | gzip > audit.jsonl.gz'],
    ],
  };

  file = Option.String('-o,--file', { description: 'Write to this file, which is created when the export is complete.' });
  fromBlock = Option.String('--from-block', '1', { description: 'First block of the chain to export (default 1).' });

  protected async request(client: JamjetClient): Promise<number> {
    const from_block = integerArgument('--from-block', this.fromBlock, { min: 1, max: Number.MAX_SAFE_INTEGER });
    const chunks = client.audit.export({ from_block });
    if (this.file === undefined) await this.#pipe(chunks);
    else await this.#write(resolve(this.context.cwd, this.file), chunks);
    return EXIT.ok;
  }

  async #pipe(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { stdout } = this.context;
    for await (const chunk of chunks) {
      if (!stdout.write(chunk)) await once(stdout, 'drain');
    }
  }

  async #write(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const partial = `${path}.partial`;
    const file = await open(partial, 'w', 0o600).catch((error: unknown) => {
      throw new Failure(`--file ${this.file}: ${fileProblem(error)}`, { exitCode: EXIT.usage, cause: error });
    });
    try {
      for await (const chunk of chunks) await file.write(chunk);
      await file.close();
      await rename(partial, path);
    } catch (error) {
      await file.close();
      await rm(partial, { force: true });
      throw error;
    }
    if (this.json) this.printJson({ file: this.file });
    else this.note(`${this.file} is complete. Verify it with: jamjet audit verify --file ${this.file}`);
  }
}

export { AuditExportCommand as command };
