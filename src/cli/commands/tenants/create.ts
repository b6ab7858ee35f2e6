import { Option } from 'clipanion';
import type { JamjetClient } from '../../../client/index.ts';
import type { Usage } from '../../base/command.ts';
import { ClientCommand } from '../../connection/connect.ts';
import { EXIT } from '../../failure.ts';
import { jsonArgument } from '../../input/arguments.ts';
import { plain, shellWord } from '../../terminal/text.ts';

export class TenantsCreateCommand extends ClientCommand {
  static override paths = [['tenants', 'create']];
  static override usage: Usage = {
    details: `Only operators of tenant default may. JSON is given as text, as @FILE or as - for standard input.

Limits: max_concurrent_executions, max_workflows, max_requests_per_minute, max_tokens_per_month, max_cost_per_month_usd,
retention_days. What is left out is not limited.`,
    examples: [
      [
        'A tenant and its first token',
        '$0 tenants create acme --name "Acme Corp" && $0 token create --tenant acme --role operator',
      ],
      ['With limits', `$0 tenants create acme --limits '{"max_concurrent_executions": 50, "max_cost_per_month_usd": 200}'`],
    ],
  };

  id = Option.String({ name: 'id' });
  name = Option.String('--name', { description: 'What people call it (default: its id).' });
  policy = Option.String('--policy', { description: 'Its policy, a JSON object.' });
  limits = Option.String('--limits', { description: 'Its limits, a JSON object.' });

  protected async request(client: JamjetClient): Promise<number> {
    const created = await client.tenants.create({
      id: this.id,
      name: this.name ?? this.id,
      ...(this.policy === undefined ? {} : { policy: await jsonArgument('--policy', this.policy, this.context) }),
      ...(this.limits === undefined ? {} : { limits: await jsonArgument('--limits', this.limits, this.context) }),
    });
    if (this.json) this.printJson(created);
    else {
      this.print(`${this.paint.green('✓')} created ${plain(created.tenant_id)}`);
      this.note(`  Its first token: jamjet token create --tenant ${shellWord(created.tenant_id)} --role operator`);
    }
    return EXIT.ok;
  }
}
