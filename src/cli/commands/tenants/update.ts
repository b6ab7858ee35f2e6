import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { ClientCommand } from '../../connection/connect.ts';
import { EXIT, usageFailure } from '../../failure.ts';
import { choiceArgument, jsonArgument } from '../../input/arguments.ts';
import { tenantText } from '../../texts/tenant.ts';

const STATUSES = ['active', 'suspended', 'archived'] as const;

export class TenantsUpdateCommand extends ClientCommand {
  static override paths = [['tenants', 'update']];
  static override usage: Usage = {
    details: `Only operators of tenant default may. What is not named stays as it is. --policy and --limits replace the whole object; null clears it.

A tenant that is suspended or archived begins nothing new, and its tokens are refused; in-process work under way is finished.`,
    examples: [
      ['Stop a tenant for now', '$0 tenants update acme --status suspended'],
      ['Other limits', `$0 tenants update acme --limits '{"max_requests_per_minute": 600}'`],
      ['No limits', '$0 tenants update acme --limits null'],
    ],
  };

  id = Option.String({ name: 'id' });
  name = Option.String('--name', { description: 'What people call it.' });
  status = Option.String('-s,--status', { description: `${STATUSES.join(', ')}.` });
  policy = Option.String('--policy', { description: 'Its policy, a JSON object; null = none.' });
  limits = Option.String('--limits', { description: 'Its limits, a JSON object; null = none.' });

  protected async request(client: JamjetClient): Promise<number> {
    const change = {
      ...(this.name === undefined ? {} : { name: this.name }),
      ...(this.status === undefined ? {} : { status: choiceArgument('--status', this.status, STATUSES) }),
      ...(this.policy === undefined ? {} : { policy: await jsonArgument('--policy', this.policy, this.context) }),
      ...(this.limits === undefined ? {} : { limits: await jsonArgument('--limits', this.limits, this.context) }),
    };
    if (Object.keys(change).length === 0) throw usageFailure('change what? --name, --status, --policy or --limits');
    const updated = await client.tenants.update(this.id, change);
    if (this.json) this.printJson(updated);
    else this.print(tenantText(updated, this.paint));
    return EXIT.ok;
  }
}
