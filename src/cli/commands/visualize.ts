import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { Option } from 'clipanion';
import type { JamjetClient } from '../../client/index.ts';
import { FORMATS, type Format, formatOfFile, SUFFIXES } from '../../diagrams/formats.ts';
import { ReadOnlyCommand } from '../base/client-command.ts';
import type { Usage } from '../base/command.ts';
import { EXIT, Failure, usageFailure } from '../failure.ts';
import { choiceArgument, integerArgument } from '../input/arguments.ts';
import { printBytes, writeBytes } from '../input/bytes.ts';
import { isWorkflowFile, readWorkflow, renderDiagnostics, selectUnit } from '../input/workflow-file.ts';
import { openFile } from '../terminal/open-file.ts';
import { plain } from '../terminal/text.ts';

const VIEWS = ['workflow', 'machine'] as const;
/** Characters without a font that are named, at most. */
const MAX_NAMED = 10;
const EXECUTION_ID = /^(?:exec_[0-9a-f]{32}|[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

class VisualizeCommand extends ReadOnlyCommand {
  static override usage: Usage = {
    details: `
The target is a workflow file (which needs no server), the id of a registered workflow, or that of an execution: then it shows what has
happened to the nodes, which edges were taken and how long it all lasted. A file is what exists, ends with .yaml, .yml or .json, or begins
with ./, ../ or /.

Formats: mermaid, dot (Graphviz), svg, png, html (a page to pan, zoom and search), xstate (a machine config for XState and its editor).
With --json it tells about the picture instead of printing it.`,
    examples: [
      ['A file, as Mermaid', '$0 visualize workflow.yaml'],
      ['As a drawing', '$0 visualize workflow.yaml -o workflow.svg'],
      ['An execution, in the browser', '$0 visualize exec_0199… --open'],
      ['As it was after event 12', '$0 visualize exec_0199… --at 12 -o then.png'],
      [
        'The compiled machine, for Graphviz',
        '$0 visualize refund-approval --view machine --format dot | dot -Tpdf -o machine.pdf',
      ],
    ],
  };

  target = Option.String({ name: 'target' });
  unit = Option.String({ name: 'unit', required: false });
  format = Option.String('-f,--format', {
    description: `One of ${FORMATS.join(', ')} (default: by the name of -o, else mermaid).`,
  });
  view = Option.String('--view', 'workflow', {
    description: 'workflow: the nodes as they were written (default); machine: the compiled states.',
  });
  at = Option.String('--at', { description: 'Of an execution: as it was after this event of its log.' });
  workflowVersion = Option.String('--workflow-version', { description: 'Of a registered workflow (default: the latest).' });
  file = Option.String('-o,--file,--output', { description: 'Keep it in this file (default: standard output).' });
  open = Option.Boolean('--open', false, { description: 'Show it; without -o, a page in a temporary folder.' });

  override async execute(): Promise<number> {
    const format = this.#format();
    choiceArgument('--view', this.view, VIEWS);
    if (this.at !== undefined && !EXECUTION_ID.test(this.target)) throw usageFailure('--at is for executions');
    if (format === 'png' && this.file === undefined && !this.open && this.context.stdout.isTTY === true)
      throw usageFailure('a PNG would upset the terminal', 'Keep it in a file: add -o picture.png.');
    const isFile = !EXECUTION_ID.test(this.target) && isWorkflowFile(this.target, this.context.cwd);
    if (this.workflowVersion !== undefined && (isFile || EXECUTION_ID.test(this.target)))
      throw usageFailure('--workflow-version is for registered workflows');
    if (this.unit !== undefined && !isFile)
      throw usageFailure(
        `unexpected argument ${JSON.stringify(this.unit)}`,
        'A second word names a workflow of a file that holds several.',
      );
    if (isFile) return this.#drawFile(format);
    return super.execute();
  }

  protected async request(client: JamjetClient): Promise<number> {
    const format = this.#format();
    const view = choiceArgument('--view', this.view, VIEWS);
    const at = this.at === undefined ? null : integerArgument('--at', this.at, { min: 1, max: Number.MAX_SAFE_INTEGER });
    const { bytes, unreadable } = EXECUTION_ID.test(this.target)
      ? await client.pictures.execution(this.target, { format, view, ...(at === null ? {} : { at }) })
      : await client.pictures.workflow(this.target, {
          format,
          view,
          ...(this.workflowVersion === undefined ? {} : { version: this.workflowVersion }),
        });
    if (unreadable.length > 0) this.note(missingGlyphsText(unreadable, `on ${client.url}`));
    return this.#deliver(bytes, format);
  }

  #format(): Format {
    if (this.format !== undefined) return choiceArgument('--format', this.format, FORMATS);
    if (this.file !== undefined) return formatFromFileName(this.file);
    return this.open ? 'html' : 'mermaid';
  }

  async #drawFile(format: Format): Promise<number> {
    const authored = await readWorkflow(this.target, this.context.cwd);
    if (authored.workflows.length === 0) {
      this.context.stderr.write(`${renderDiagnostics(authored.diagnostics, this.context, this.paint)}\n`);
      throw new Failure(`${this.target} is not a valid workflow`);
    }
    const { document } = selectUnit(this.target, authored, this.unit);
    const { drawDocument } = await import('../../diagrams/draw.ts');
    const view = choiceArgument('--view', this.view, VIEWS);
    const { content, unreadable } = await drawDocument(document, { format, view, overlay: null });
    if (unreadable.length > 0) this.note(missingGlyphsText(unreadable, 'on this machine'));
    return this.#deliver(typeof content === 'string' ? Buffer.from(content) : content, format);
  }

  async #deliver(bytes: Uint8Array, format: Format): Promise<number> {
    const file = this.file ?? (this.open ? join(await mkdtemp(join(tmpdir(), 'jamjet-')), `picture${suffixOf(format)}`) : null);
    if (file !== null) await writeBytes(file, bytes, this.context);
    if (this.json) this.printJson({ format, view: this.view, size: bytes.length, file });
    else if (file === null) printBytes(bytes, this.context);
    else this.note(`${format} in ${file}`);
    if (this.open && file !== null) await openFile(resolve(this.context.cwd, file), this.context);
    return EXIT.ok;
  }
}

/** Mermaid where the name does not say. One that says something else is refused: what is in the file would not be what its name promises. */
function formatFromFileName(file: string): Format {
  const suffix = extname(file);
  const format = formatOfFile(file);
  if (format === null && suffix !== '')
    throw usageFailure(
      `no format of pictures ends with ${suffix}: name one with --format, or use ${Object.keys(SUFFIXES).join(', ')}`,
    );
  return format ?? 'mermaid';
}

function missingGlyphsText(unreadable: readonly string[], where: string): string {
  const named = unreadable
    .slice(0, MAX_NAMED)
    .map((character) => plain(character))
    .join(' ');
  const more = unreadable.length > MAX_NAMED ? ` and ${unreadable.length - MAX_NAMED} more` : '';
  return `no font ${where} has ${named}${more}: a box stands in the picture for each`;
}

function suffixOf(format: Format): string {
  return format === 'mermaid' ? '.mmd' : format === 'xstate' ? '.json' : `.${format}`;
}

export { VisualizeCommand as command };
