import { Option } from 'clipanion';
import type { HistoryEvent } from '../../../machines/history/event.ts';
import type { JamjetClient } from '../../client/index.ts';
import { ClientCommand } from '../base/client-command.ts';
import type { Usage } from '../base/command.ts';
import { listenForInterrupt } from '../context.ts';
import { EXIT } from '../failure.ts';
import { integerArgument } from '../input/arguments.ts';
import { eventLine } from '../texts/event.ts';

const PAGE = 1000;

class EventsCommand extends ClientCommand {
  static override usage: Usage = {
    details: 'With --json the events are printed as one document; with --json --follow, one event per line as it occurs.',
    examples: [
      ['Print the whole log', '$0 events exec_0199…'],
      ['Print the events of one node', '$0 events exec_0199… --node review'],
      ['Follow the log after an event, until the execution ends', '$0 events exec_0199… --after 12 --follow'],
      ['Print every failure as JSON', '$0 events exec_0199… --type node_failed --json'],
    ],
  };

  protected override readonly executionOptions: readonly string[] = ['id'];
  id = Option.String({ name: 'id' });
  node = Option.String('-n,--node', { description: 'Only events of this node.' });
  type = Option.String('-t,--type', {
    description: 'Only these types, separated by commas: node_completed (or NodeCompleted) …',
  });
  after = Option.String('--after', '0', { description: 'Only events after this sequence.' });
  limit = Option.String('--limit', { description: 'Maximum number of events.' });
  follow = Option.Boolean('-f,--follow', false, {
    description: 'Print new events until the execution, or the last one that continues it, ends.',
  });

  protected override get readOnly(): boolean {
    return !this.follow;
  }

  protected async request(client: JamjetClient): Promise<number> {
    const limit =
      this.limit === undefined
        ? Number.POSITIVE_INFINITY
        : integerArgument('--limit', this.limit, { min: 1, max: Number.MAX_SAFE_INTEGER });
    const interrupt = listenForInterrupt(this.context.signals);
    const chosen: HistoryEvent[] = [];
    let count = 0;
    try {
      for await (const event of this.#log(client, interrupt.signal)) {
        if (this.json && !this.follow) chosen.push(event);
        else this.print(this.json ? JSON.stringify(event) : eventLine(event, this.paint));
        count++;
        if (count >= limit) break;
      }
    } catch (error) {
      if (!interrupt.signal.aborted) throw error;
      return EXIT.interrupted;
    } finally {
      interrupt.stopListening();
    }
    if (this.json && !this.follow) this.printJson({ events: chosen });
    return EXIT.ok;
  }

  async *#log(client: JamjetClient, signal: AbortSignal): AsyncGenerator<HistoryEvent> {
    let after = integerArgument('--after', this.after, { min: 0, max: Number.MAX_SAFE_INTEGER });
    const chosen = {
      signal,
      ...(this.type === undefined ? {} : { kinds: [this.type] }),
      ...(this.node === undefined ? {} : { nodeId: this.node }),
    };
    for (let id = this.id; this.follow; after = 0) {
      yield* client.live.execution(id, { ...chosen, after });
      const { next_execution_id: next } = await client.execution(id, { signal });
      if (next === undefined) return;
      this.note(`continues as ${next}`);
      id = next;
    }
    for (;;) {
      const page = await client.events(this.id, { ...chosen, after, limit: PAGE });
      yield* page;
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return;
      after = last.sequence;
    }
  }
}

export { EventsCommand as command };
