import type { JamjetClient } from '../../client/index.ts';
import { ago } from '../../views/time.ts';
import type { Usage } from '../base/command.ts';
import { ClientCommand } from '../connection/connect.ts';
import { EXIT } from '../failure.ts';
import { table } from '../terminal/table.ts';
import { plain } from '../terminal/text.ts';

export class WorkersCommand extends ClientCommand {
  static override paths = [['workers']];
  static override usage: Usage = {
    examples: [
      ['Who works', '$0 workers'],
      ['As JSON', '$0 workers --json'],
    ],
  };

  protected async request(client: JamjetClient): Promise<number> {
    const list = await client.workers();
    if (this.json) this.printJson(list);
    else if (list.workers.length === 0) this.note('no workers');
    else {
      const nowMs = Date.now();
      const rows = list.workers.map((worker) => [
        plain(worker.id),
        worker.kind,
        worker.status === 'active' ? this.paint.green(worker.status) : this.paint.dim(worker.status),
        plain(worker.queue_types.join(', ')),
        String(worker.in_flight),
        String(worker.claimed_total),
        ago(Date.parse(worker.last_seen_at), nowMs),
      ]);
      const columns = [
        { title: 'WORKER' },
        { title: 'KIND' },
        { title: 'STATUS' },
        { title: 'QUEUES' },
        { title: 'IN FLIGHT', align: 'right' },
        { title: 'CLAIMED', align: 'right' },
        { title: 'SEEN', align: 'right' },
      ] as const;
      this.print(table(columns, rows, this.paint));
    }
    return EXIT.ok;
  }
}
