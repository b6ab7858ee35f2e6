import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import { ago } from '../../../views/time.ts';
import type { Usage } from '../../base/command.ts';
import { ReadOnlyCommand } from '../../connection/connect.ts';
import { EXIT } from '../../failure.ts';
import { integerArgument } from '../../input/arguments.ts';
import { table } from '../../terminal/table.ts';
import { plain } from '../../terminal/text.ts';

export class AgentsTraceCommand extends ReadOnlyCommand {
  static override paths = [['agents', 'trace']];
  static override usage: Usage = {
    details: `Newest first. in: what was done to the agent; out: what it did, which is what tokens and workers named agent:ID did. Heartbeats
are not on record.`,
    examples: [
      ['The latest twenty', '$0 agents trace research-agent'],
      [
        'The executions it was part of',
        "$0 agents trace research-agent -n 200 --json | jq -r '.events[].execution_id // empty' | sort -u",
      ],
    ],
  };

  id = Option.String({ name: 'id' });
  limit = Option.String('-n,--limit', '20', { description: 'How many, at most 200 (default 20).' });

  protected async request(client: JamjetClient): Promise<number> {
    const trace = await client.agents.trace(this.id, { limit: integerArgument('--limit', this.limit, { min: 1, max: 200 }) });
    if (this.json) this.printJson(trace);
    else if (trace.events.length === 0) this.note('nothing on record');
    else {
      const nowMs = Date.now();
      const rows = trace.events.map((event) => [
        ago(Date.parse(event.timestamp), nowMs),
        event.direction === 'inbound' ? this.paint.cyan('in') : this.paint.green('out'),
        event.event_type,
        plain(event.summary),
      ]);
      const columns = [{ title: 'WHEN', align: 'right' }, { title: 'WAY' }, { title: 'EVENT' }, { title: 'WHAT' }] as const;
      this.print(table(columns, rows, this.paint));
    }
    return EXIT.ok;
  }
}
