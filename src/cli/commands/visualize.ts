import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { Option } from 'clipanion';
import type { JamjetClient } from '../../client/index.ts';
import { FORMATS, type Format, formatOfFile, SUFFIXES } from '../../diagrams/formats.ts';
import { ReadOnlyCommand } from '../base/client-command.ts';
import type { Usage } from '../base/command.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { choiceArgument, integerArgument } from '../input/arguments.ts';
import { printBytes, writeBytes } from '../input/bytes.ts';
import { executionIdOf } from '../input/execution-id.ts';

import { isWorkflowFile, readValidWorkflow, selectUnit } from '../input/workflow-file.ts';
import { openFile } from '../terminal/open.ts';
import { plain } from '../terminal/text.ts';

const VIEWS = ['workflow', 'machine'] as const;
/** Maximum number of characters without a font that are listed. */
const MAX_NAMED = 10;
const EXECUTION_ID = /^(?:exec_[0-9a-f]{32}|[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

class VisualizeCommand extends ReadOnlyCommand {
  static override usage: Usage = {
    details: `
The target is a workflow file (which needs no server), the id of a registered workflow, or the id of an execution. A diagram of an
execution shows node statuses, the edges that were taken, and durations. A word is a file if it exists, ends with .yaml, .yml or .json, or
starts with ./, ../ or /.

Formats: mermaid, dot (Graphviz), svg, png, html (a page to pan, zoom and search), xstate (a machine config for XState and its editor).
With --json the command prints metadata of the diagram instead.`,
    examples: [
      ['Print a file as Mermaid', '$0 visualize workflow.yaml'],
      ['Draw it to an SVG file', '$0 visualize workflow.yaml -o workflow.svg'],
      ['Show an execution in the browser', '$0 visualize exec_0199… --open'],
      ['Draw it as it was after event 12', '$0 visualize exec_0199… --at 12 -o then.png'],
      [
        'Draw the compiled machine with Graphviz',
        '$0 visualize refund-approval --view machine --format dot | dot -Tpdf -o machine.pdf',
      ],
    ],
  };

  target = Option.String({ name: 'target' });
  unit = Option.String({ name: 'unit', required: false });
  format = Option.String('-f,--format', {
    description: `One of ${FORMATS.join(', ')} (default: by the suffix of -o, else mermaid).`,
  });
  view = Option.String('--view', 'workflow', {
    description: 'workflow: the nodes as written (default); machine: the compiled states.',
  });
  at = Option.String('--at', { description: 'Draw an execution as it was after this event sequence.' });
  workflowVersion = Option.String('--workflow-version', {
    description: 'Version of a registered workflow (default: the latest).',
  });
  file = Option.String('-o,--file,--output', { description: 'Write the diagram to this file (default: standard output).' });
  open = Option.Boolean('--open', false, { description: 'Open the diagram; without -o, as a page in a temporary folder.' });

  override async execute(): Promise<number> {
    const format = this.#format();
    choiceArgument('--view', this.view, VIEWS);
    if (this.at !== undefined && !isExecution(this.target)) throw usageFailure('--at requires the id of an execution');
    if (format === 'png' && this.file === undefined && !this.open && this.context.stdout.isTTY === true)
      throw usageFailure('a PNG is not printed to a terminal', 'Write it to a file: add -o diagram.png.');
    const isFile = !isExecution(this.target) && isWorkflowFile(this.target, this.context.cwd);
    if (this.workflowVersion !== undefined && (isFile || isExecution(this.target)))
      throw usageFailure('--workflow-version requires a registered workflow');
    if (this.unit !== undefined && !isFile)
      throw usageFailure(
        `unexpected argument ${JSON.stringify(this.unit)}`,
        'A second word selects a workflow of a file that contains several.',
      );
    if (isFile) return this.#drawFile(format);
    return super.execute();
  }

  protected async request(client: JamjetClient): Promise<number> {
    const format = this.#format();
    const view = choiceArgument('--view', this.view, VIEWS);
    const at = this.at === undefined ? null : integerArgument('--at', this.at, { min: 1, max: Number.MAX_SAFE_INTEGER });
    const { bytes, unreadable } = isExecution(this.target)
      ? await client.diagrams.execution(await executionIdOf(client, this.target), {
          format,
          view,
          ...(at === null ? {} : { at }),
        })
      : await client.diagrams.workflow(this.target, {
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
    const authored = await readValidWorkflow(this.target, this.context, { warnings: false });
    const { document } = selectUnit(this.target, authored, this.unit);
    const { drawDocument } = await import('../../diagrams/draw.ts');
    const view = choiceArgument('--view', this.view, VIEWS);
    const { content, unreadable } = await drawDocument(document, { format, view, execution: null });
    if (unreadable.length > 0) this.note(missingGlyphsText(unreadable, 'on this machine'));
    return this.#deliver(typeof content === 'string' ? Buffer.from(content) : content, format);
  }

  async #deliver(bytes: Uint8Array, format: Format): Promise<number> {
    const file = this.file ?? (this.open ? join(await mkdtemp(join(tmpdir(), 'jamjet-')), `diagram${suffixOf(format)}`) : null);
    if (file !== null) await writeBytes(file, bytes, this.context);
    if (this.json) this.printJson({ format, view: this.view, size: bytes.length, file });
    else if (file === null) printBytes(bytes, this.context);
    else this.note(`${format} written to ${file}`);
    if (this.open && file !== null) await openFile(resolve(this.context.cwd, file), this.context);
    return EXIT.ok;
  }
}

/** An id of an execution in any notation, its short form as `ls` shows it, or `last`. */
function isExecution(target: string): boolean {
  return EXECUTION_ID.test(target) || target === 'last' || (/^[0-9a-f]{8}$/i.test(target) && /\d/.test(target));
}

/** The format of a file name, mermaid without a suffix. Throws for an unknown suffix, because the content would not match the name. */
function formatFromFileName(file: string): Format {
  const suffix = extname(file);
  const format = formatOfFile(file);
  if (format === null && suffix !== '')
    throw usageFailure(`no format has the suffix ${suffix}: give --format, or use ${Object.keys(SUFFIXES).join(', ')}`);
  return format ?? 'mermaid';
}

function missingGlyphsText(unreadable: readonly string[], where: string): string {
  const named = unreadable
    .slice(0, MAX_NAMED)
    .map((character) => plain(character))
    .join(' ');
  const more = unreadable.length > MAX_NAMED ? ` and ${unreadable.length - MAX_NAMED} more` : '';
  return `no font ${where} has ${named}${more}: each is drawn as a box`;
}

function suffixOf(format: Format): string {
  return format === 'mermaid' ? '.mmd' : format === 'xstate' ? '.json' : `.${format}`;
}

export { VisualizeCommand as command };
