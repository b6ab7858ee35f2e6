import { once } from 'node:events';
import { resolve } from 'node:path';
import { Option } from 'clipanion';
import type { ExportedEvent } from '../../../server/admin.ts';
import { JamjetCommand, type Usage } from '../../base/command.ts';
import { EXIT, Failure } from '../../failure.ts';
import { fileProblem } from '../../input/arguments.ts';
import { settings } from '../../input/settings.ts';
import { AUDIT_FAULTS } from '../../texts/audit.ts';

class AuditEventsCommand extends JamjetCommand {
  static override usage: Usage = {
    details: `Prints one JSON object per line, in the order of the file. The export is verified at the same time: only events that match their digests
are printed, and the command exits with 1 if the file is not valid. Needs neither the server nor its database.`,
    examples: [
      ['Print all events', '$0 audit events audit.jsonl'],
      ['Find the decisions', `$0 audit events audit.jsonl | jq 'select(.event_type == "approval_received")'`],
    ],
  };

  file = Option.String({ name: 'file' });

  async execute(): Promise<number> {
    const config = settings(this.context);
    const { auditFileEvents } = await import('../../../server/admin.ts');
    const events = auditFileEvents(config, resolve(this.context.cwd, this.file));
    const { stdout } = this.context;
    for (;;) {
      const { done, value } = await events.next().catch((error: unknown) => {
        throw new Failure(`${this.file}: ${fileProblem(error)}`, { exitCode: EXIT.usage, cause: error });
      });
      if (done !== true) {
        if (!stdout.write(`${JSON.stringify(printed(value))}\n`)) await once(stdout, 'drain');
        continue;
      }
      const { fault } = value;
      if (fault === null) return EXIT.ok;
      throw new Failure(`${this.file}: line ${fault.line}: ${AUDIT_FAULTS[fault.reason]}`, { exitCode: EXIT.failed });
    }
  }
}

/** With the names of `jamjet audit list --json`. */
function printed(event: ExportedEvent) {
  const { executionId, seq, type, nodeId, atMs, actorId, actorType, onBehalfOf, request, data } = event;
  return {
    execution_id: executionId,
    sequence: seq,
    event_type: type,
    node_id: nodeId,
    created_at: new Date(atMs).toISOString(),
    actor_id: actorId,
    actor_type: actorType,
    ...(onBehalfOf === null ? {} : { on_behalf_of: onBehalfOf }),
    ...(request === null ? {} : { request: JSON.parse(request) as unknown }),
    data: JSON.parse(data) as unknown,
  };
}

export { AuditEventsCommand as command };
