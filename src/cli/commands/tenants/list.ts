import { Option } from 'clipanion';
import type { CallOptions, JamjetClient, TenantList } from '../../../client/index.ts';
import { ago } from '../../../views/time.ts';
import type { Usage } from '../../base/command.ts';
import { ListCommand } from '../../base/list-command.ts';
import { integerArgument } from '../../input/arguments.ts';
import { table } from '../../terminal/table.ts';
import { plain } from '../../terminal/text.ts';
import { limitsText, paintTenantStatus } from '../../texts/tenant.ts';

class TenantsListCommand extends ListCommand<TenantList> {
  static override usage: Usage = {
    details:
      'Operators of tenant default see all tenants; operators of another tenant see their own. With --json --watch, each list is one line.',
    examples: [
      ['List all tenants', '$0 tenants list'],
      ['List suspended tenants', `$0 tenants list --json | jq -r '.tenants[] | select(.status == "suspended") | .id'`],
      ['Watch tenants', '$0 tenants list --watch'],
    ],
  };

  limit = Option.String('--limit', '1000', { description: 'Maximum number of tenants, 1 to 1000 (default 1000).' });
  offset = Option.String('--offset', '0', { description: 'Number of tenants to skip (default 0).' });

  protected readonly emptyText = 'no tenants';

  protected read(client: JamjetClient, call: CallOptions): Promise<TenantList> {
    const page = {
      limit: integerArgument('--limit', this.limit, { min: 1, max: 1000 }),
      offset: integerArgument('--offset', this.offset, { min: 0, max: Number.MAX_SAFE_INTEGER }),
    };
    return client.tenants.list(page, call);
  }

  protected listText({ tenants }: TenantList): string | null {
    if (tenants.length === 0) return null;
    const nowMs = Date.now();
    const rows = tenants.map((tenant) => [
      plain(tenant.id),
      plain(tenant.name),
      paintTenantStatus(tenant.status, this.paint),
      ago(Date.parse(tenant.updated_at), nowMs),
      this.paint.dim(limitsText(tenant.limits)),
    ]);
    const columns = [
      { title: 'TENANT' },
      { title: 'NAME' },
      { title: 'STATUS' },
      { title: 'CHANGED', align: 'right' },
      { title: 'LIMITS' },
    ] as const;
    return table(columns, rows, this.paint);
  }
}

export { TenantsListCommand as command };
