import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { jsonArgument } from '../../input/arguments.ts';
import { plain, shellWord } from '../../terminal/text.ts';

export const command = requestCommand({
  usage: {
    details: `Requires a token of an operator of tenant default. JSON is given as text, as @FILE or as - for standard input.

Limits: max_concurrent_executions, max_workflows, max_requests_per_minute, max_tokens_per_month, max_cost_per_month_usd,
max_storage_bytes, max_cost_per_call_usd, max_tokens_per_call, retention_days. A limit that is left out does not apply; a call may report
100 USD and 10,000,000 tokens then.`,
    examples: [
      [
        'Create a tenant and its first token',
        '$0 tenants create acme --name "Acme Corp" && $0 token create --tenant acme --role operator',
      ],
      [
        'Create a tenant with limits',
        `$0 tenants create acme --limits '{"max_concurrent_executions": 50, "max_cost_per_month_usd": 200}'`,
      ],
    ],
  },
  options: () => ({
    id: Option.String({ name: 'id' }),
    name: Option.String('--name', { description: 'Display name (default: the id).' }),
    policy: Option.String('--policy', { description: 'Its policy, a JSON object.' }),
    limits: Option.String('--limits', { description: 'Its limits, a JSON object.' }),
  }),
  call: async (client, { id, name, policy, limits }, context) =>
    client.tenants.create({
      id,
      name: name ?? id,
      ...(policy === undefined ? {} : { policy: await jsonArgument('--policy', policy, context) }),
      ...(limits === undefined ? {} : { limits: await jsonArgument('--limits', limits, context) }),
    }),
  text: ({ tenant_id }, { paint }) => `${paint.green('✓')} created ${plain(tenant_id)}`,
  note: ({ tenant_id }) => `  Create its first token with: jamjet token create --tenant ${shellWord(tenant_id)} --role operator`,
});
