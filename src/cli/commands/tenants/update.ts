import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { usageFailure } from '../../failure.ts';
import { choiceArgument, jsonArgument } from '../../input/arguments.ts';
import { tenantText } from '../../texts/tenant.ts';

const STATUSES = ['active', 'suspended', 'archived'] as const;

export const command = requestCommand({
  usage: {
    details: `Requires a token of an operator of tenant default. Fields that are not given stay unchanged. --policy and --limits replace the whole
object; null clears it.

A suspended or archived tenant starts no new work and its tokens are rejected; in-process work that is running completes.`,
    examples: [
      ['Suspend a tenant', '$0 tenants update acme --status suspended'],
      ['Replace the limits', `$0 tenants update acme --limits '{"max_requests_per_minute": 600}'`],
      ['Remove the limits', '$0 tenants update acme --limits null'],
    ],
  },
  options: () => ({
    id: Option.String({ name: 'id' }),
    name: Option.String('--name', { description: 'Display name.' }),
    status: Option.String('-s,--status', { description: `${STATUSES.join(', ')}.` }),
    policy: Option.String('--policy', { description: 'Its policy, a JSON object; null = none.' }),
    limits: Option.String('--limits', { description: 'Its limits, a JSON object; null = none.' }),
  }),
  call: async (client, { id, name, status, policy, limits }, context) => {
    const change = {
      ...(name === undefined ? {} : { name }),
      ...(status === undefined ? {} : { status: choiceArgument('--status', status, STATUSES) }),
      ...(policy === undefined ? {} : { policy: await jsonArgument('--policy', policy, context) }),
      ...(limits === undefined ? {} : { limits: await jsonArgument('--limits', limits, context) }),
    };
    if (Object.keys(change).length === 0) throw usageFailure('nothing to change: give --name, --status, --policy or --limits');
    return client.tenants.update(id, change);
  },
  text: (tenant, { paint }) => tenantText(tenant, paint),
});
