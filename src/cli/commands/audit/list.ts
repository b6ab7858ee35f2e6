import { Option } from 'clipanion';
import type { AuditItem, AuditList, CallOptions, JamjetClient } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { ListCommand } from '../../base/list-command.ts';
import { integerArgument, timeArgument } from '../../input/arguments.ts';
import { table } from '../../terminal/table.ts';
import { cut, inline, plain } from '../../terminal/text.ts';

class AuditListCommand extends ListCommand<AuditList> {
  static override usage: Usage = {
    details: `Lists every event of every execution, and every control plane action (on tokens, tenants, agents, workflows, workers …), with its
actor, newest first.`,
    examples: [
      ['List the latest records', '$0 audit list'],
      ['List the actions of a user in the last day', '$0 audit list --actor ann --since 24h'],
      [
        'Print the approvals of a month as JSON',
        '$0 audit list --type approval_received --since 2026-03-01 --until 2026-04-01 --json',
      ],
      ['Watch the log', '$0 audit list --watch'],
    ],
  };

  execution = Option.String('-e,--execution', { description: 'Only events of this execution.' });
  actor = Option.String('-a,--actor', {
    description: 'Only actions by this actor (a token, a runtime …) or on its behalf.',
  });
  type = Option.String('-t,--type', { description: 'Only this event type: node_completed, token_created …' });
  since = Option.String('--since', { description: 'Only records at or after: 90m (ago), 2026-03-12, or a full time.' });
  until = Option.String('--until', { description: 'Only records before: 90m (ago), 2026-03-12, or a full time.' });
  limit = Option.String('--limit', '50', { description: 'Maximum number of records, 1 to 200 (default 50).' });
  offset = Option.String('--offset', '0', { description: 'Number of records to skip (default 0).' });
  cursor = Option.String('--cursor', { description: 'Start after an earlier page: its next_cursor.' });

  protected readonly emptyText = 'no records';

  protected read(client: JamjetClient, call: CallOptions): Promise<AuditList> {
    const nowMs = Date.now();
    const query = {
      limit: integerArgument('--limit', this.limit, { min: 1, max: 200 }),
      offset: integerArgument('--offset', this.offset, { min: 0, max: Number.MAX_SAFE_INTEGER }),
      ...(this.execution === undefined ? {} : { execution_id: this.execution }),
      ...(this.actor === undefined ? {} : { actor_id: this.actor }),
      ...(this.type === undefined ? {} : { event_type: this.type }),
      ...(this.since === undefined ? {} : { from: timeArgument('--since', this.since, nowMs) }),
      ...(this.until === undefined ? {} : { to: timeArgument('--until', this.until, nowMs) }),
      ...(this.cursor === undefined ? {} : { cursor: this.cursor }),
    };
    return client.audit.list(query, call);
  }

  protected listText({ items, total, offset }: AuditList): string | null {
    if (items.length === 0) return null;
    const columns = [{ title: 'TIME' }, { title: 'TYPE' }, { title: 'ACTOR' }, { title: 'EXECUTION' }, { title: '' }];
    const rows = items.map((item) => this.#row(item));
    const shown = total === items.length ? '' : `\n${this.paint.dim(`${offset + 1}–${offset + items.length} of ${total}`)}`;
    return table(columns, rows, this.paint) + shown;
  }

  #row({ created_at, event_type, actor_id, on_behalf_of, execution_id, raw_event }: AuditItem): string[] {
    const fields = Object.entries(raw_event)
      .filter(([name, value]) => name !== 'type' && value !== null)
      .map(([name, value]) => `${plain(name)}=${inline(value, 60)}`)
      .join(' ');
    return [
      this.paint.dim(created_at),
      event_type,
      this.paint.cyan(plain(on_behalf_of === undefined ? actor_id : `${actor_id} for ${on_behalf_of}`)),
      execution_id ?? '',
      this.paint.dim(cut(fields, 100)),
    ];
  }
}

export { AuditListCommand as command };
