import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { ReadOnlyCommand } from '../../connection/connect.ts';
import { EXIT } from '../../failure.ts';
import { tenantText } from '../../texts/tenant.ts';

export class TenantsGetCommand extends ReadOnlyCommand {
  static override paths = [['tenants', 'get']];
  static override usage: Usage = {
    examples: [
      ['One tenant, its limits and what it has used', '$0 tenants get acme'],
      ['What it has spent this month', '$0 tenants get acme --json | jq .usage.cost_usd'],
    ],
  };

  id = Option.String({ name: 'id' });

  protected async request(client: JamjetClient): Promise<number> {
    const tenant = await client.tenants.get(this.id);
    if (this.json) this.printJson(tenant);
    else this.print(tenantText(tenant, this.paint));
    return EXIT.ok;
  }
}
