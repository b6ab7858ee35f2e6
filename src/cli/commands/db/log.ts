import { Option } from 'clipanion';
import type { HistoryEvent } from '../../../../machines/history/event.ts';
import { databaseName } from '../../../server/config.ts';
import type { EventRow } from '../../../server/databases.ts';
import type { Usage } from '../../base/command.ts';
import { DatabaseCommand } from '../../base/database-command.ts';
import { EXIT } from '../../failure.ts';
import { eventLine } from '../../texts/event.ts';

class DbLogCommand extends DatabaseCommand {
  static override usage: Usage = {
    details: `Reads the database itself, with or without a running server, and changes nothing. Events are printed as they are stored: large outputs as
references, and for any tenant. With --json, each event has its actor and the request that caused it. \`jamjet events\` prints a log as the API
returns it.`,
    examples: [
      ['Print the stored log of an execution', '$0 db log exec_0199…'],
      ['Print it from a backup, as JSON', '$0 db log exec_0199… --db /backup/runtime.db --json'],
    ],
  };

  id = Option.String({ name: 'execution' });

  async execute(): Promise<number> {
    const config = this.config();
    const { withStoredLog } = await import('../../../server/databases.ts');
    await withStoredLog(config, this.id, async (tenantId, events) => {
      if (!this.json) {
        for await (const event of events) this.print(eventLine(timelineEvent(event), this.paint));
        return;
      }
      const all: object[] = [];
      for await (const event of events) all.push(jsonOf(event));
      this.printJson({ database: databaseName(config.database), tenant_id: tenantId, execution_id: this.id, events: all });
    });
    return EXIT.ok;
  }
}

function timelineEvent({ seq, type, nodeId, atMs, actorId, onBehalfOf, data }: EventRow): HistoryEvent {
  const created_at = new Date(atMs).toISOString();
  const behalf = onBehalfOf === null ? {} : { on_behalf_of: onBehalfOf };
  return { sequence: seq, type, node_id: nodeId, created_at, actor_id: actorId, ...behalf, data };
}

function jsonOf(event: EventRow): object {
  const { actorType, request } = event;
  return { ...timelineEvent(event), actor_type: actorType, request: request === null ? null : (JSON.parse(request) as unknown) };
}

export { DbLogCommand as command };
