import { Option } from 'clipanion';
import type { CallOptions, JamjetClient } from '../../client/index.ts';
import { ClientCommand } from '../base/client-command.ts';
import { type Interrupt, listenForInterrupt } from '../context.ts';
import { EXIT } from '../failure.ts';
import { sleep } from '../sleep.ts';
import { cutPainted } from '../terminal/text.ts';

const POLL_MS = 1_000;
/** Of a terminal that does not tell its size. */
const DEFAULT_ROWS = 24;
const DEFAULT_COLUMNS = 80;

/** A command that shows a list, and with `--watch` shows it again whenever it changes, until it is interrupted. */
export abstract class ListCommand<List> extends ClientCommand {
  watch = Option.Boolean('--watch', false, { description: 'Stay, and show it again whenever it changes.' });

  /** What stands in place of an empty list: `no agents`. */
  protected abstract readonly emptyText: string;

  protected abstract read(client: JamjetClient, call: CallOptions): Promise<List>;

  /** The list as text; null when it is empty. */
  protected abstract listText(list: List): string | null;

  /** How to come to what the list leaves out, told below it; null when it is whole. */
  protected moreHint(_list: List): string | null {
    return null;
  }

  /** What must differ for the list to have changed, where the display is printed anew. */
  protected comparable(list: List): unknown {
    return list;
  }

  protected override get readOnly(): boolean {
    return !this.watch;
  }

  protected async request(client: JamjetClient): Promise<number> {
    if (this.watch) return this.#watchList(client);
    const list = await this.read(client, {});
    if (this.json) this.printJson(list);
    else {
      const text = this.listText(list);
      const more = this.moreHint(list);
      if (text === null) this.note(this.emptyText);
      else this.print(text);
      if (more !== null) this.note(more);
    }
    return EXIT.ok;
  }

  async #watchList(client: JamjetClient): Promise<number> {
    const interrupt = listenForInterrupt(this.context.signals);
    try {
      return await this.#watchUntilInterrupted(client, interrupt);
    } catch (error) {
      if (!interrupt.signal.aborted) throw error;
      return EXIT.interrupted;
    } finally {
      interrupt.stopListening();
    }
  }

  async #watchUntilInterrupted(client: JamjetClient, { signal }: Interrupt): Promise<never> {
    const redraws = this.context.stdout.isTTY === true && !this.json;
    let shown: string | null = null;
    for (;;) {
      const list = await this.read(client, { signal });
      const text = this.json ? JSON.stringify(list) : (this.listText(list) ?? this.paint.dim(this.emptyText));
      // On a terminal ages are kept up to date as well.
      const now = redraws ? text : JSON.stringify(this.comparable(list));
      if (now !== shown) {
        if (redraws) this.#redraw(text);
        else this.print(shown === null || this.json ? text : `\n${text}`);
        shown = now;
      }
      await sleep(POLL_MS, signal);
    }
  }

  /** Over what stood on the screen before; no line is wrapped, and none is lost above the top. */
  #redraw(text: string): void {
    const lines = text.split('\n');
    const rows = Math.max(2, (this.context.stdout.rows ?? DEFAULT_ROWS) - 1);
    const fitting =
      lines.length <= rows ? lines : [...lines.slice(0, rows - 1), this.paint.dim(`… ${lines.length - rows + 1} more`)];
    const columns = Math.max(2, this.context.stdout.columns ?? DEFAULT_COLUMNS);
    this.context.stdout.write(`\u001b[H\u001b[2J${fitting.map((line) => cutPainted(line, columns)).join('\n')}\n`);
  }
}
