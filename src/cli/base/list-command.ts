import { Option } from 'clipanion';
import type { CallOptions, JamjetClient } from '../../client/index.ts';
import { type Interrupt, listenForInterrupt } from '../context.ts';
import { EXIT } from '../failure.ts';
import { sleep } from '../sleep.ts';
import { dimensionsOf } from '../terminal/dimensions.ts';
import { cutPainted } from '../terminal/text.ts';
import { ClientCommand } from './client-command.ts';

const POLL_MS = 1_000;

/** A command that prints a list; with `--watch`, prints it again on every change until interrupted. */
export abstract class ListCommand<List> extends ClientCommand {
  watch = Option.Boolean('--watch', false, { description: 'Print it again whenever it changes, until Ctrl-C.' });

  /** Printed instead of an empty list: `no agents`. */
  protected abstract readonly emptyText: string;

  protected abstract read(client: JamjetClient, call: CallOptions): Promise<List>;

  /** The list as text; null if it is empty. */
  protected abstract listText(list: List): string | null;

  /** A remark below an incomplete list on how to get the rest; null if it is complete. */
  protected moreHint(_list: List): string | null {
    return null;
  }

  /** The part of the list that is compared to detect a change. */
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
      // On a terminal the text is compared, so that ages are updated as well.
      const now = redraws ? text : JSON.stringify(this.comparable(list));
      if (now !== shown) {
        if (redraws) this.#redraw(text);
        else this.print(shown === null || this.json ? text : `\n${text}`);
        shown = now;
      }
      await sleep(POLL_MS, signal);
    }
  }

  /** Clears the screen and prints the list, cut to the size of the terminal. */
  #redraw(text: string): void {
    const lines = text.split('\n');
    const { rows, columns } = dimensionsOf(this.context.stdout);
    const maxLines = Math.max(2, rows - 1);
    const fitting =
      lines.length <= maxLines
        ? lines
        : [...lines.slice(0, maxLines - 1), this.paint.dim(`… ${lines.length - maxLines + 1} more`)];
    this.context.stdout.write(`\u001b[H\u001b[2J${fitting.map((line) => cutPainted(line, columns)).join('\n')}\n`);
  }
}
