import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { tenantText } from '../../texts/tenant.ts';

export const command = requestCommand({
  usage: {
    examples: [
      ['Show a tenant, its limits and its usage', '$0 tenants get acme'],
      ['Print the cost of this month', '$0 tenants get acme --json | jq .usage.cost_usd'],
    ],
  },
  readOnly: true,
  options: () => ({ id: Option.String({ name: 'id' }) }),
  call: (client, { id }) => client.tenants.get(id),
  text: (tenant, { paint }) => tenantText(tenant, paint),
});
