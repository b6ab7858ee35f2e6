import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { usageFailure } from '../../failure.ts';
import { amountArgument, integerArgument } from '../../input/arguments.ts';
import { plain } from '../../terminal/text.ts';

export const command = requestCommand({
  usage: {
    details: `Requires a token of an operator of tenant default. Sets what a tenant has used in a month, in place of what was counted, for example
after a remote agent has reported a wrong cost. What is reported from then on is added. The audit log has both amounts and the reason.`,
    examples: [
      [
        'Correct the cost of a month',
        "$0 tenants correct acme --month 2026-03 --cost-usd 12.5 --reason 'report of a faulty agent'",
      ],
    ],
  },
  options: () => ({
    id: Option.String({ name: 'id' }),
    month: Option.String('--month', { description: 'Required: the month in UTC, like 2026-03.' }),
    tokens: Option.String('--tokens', { description: 'Model tokens of the month (default: as counted).' }),
    cost: Option.String('--cost-usd', { description: 'Cost of the month in USD (default: as counted).' }),
    reason: Option.String('--reason', { description: 'Required: why, for the audit log.' }),
  }),
  call: async (client, { id, month, tokens, cost, reason }) => {
    if (month === undefined || reason === undefined) throw usageFailure('--month and --reason are required');
    if (tokens === undefined && cost === undefined) throw usageFailure('nothing to correct: give --tokens or --cost-usd');
    return client.tenants.correctUsage(id, month, {
      ...(tokens === undefined ? {} : { tokens: integerArgument('--tokens', tokens, { min: 0, max: Number.MAX_SAFE_INTEGER }) }),
      ...(cost === undefined ? {} : { cost_usd: amountArgument('--cost-usd', cost) }),
      reason,
    });
  },
  text: ({ tenant_id, month, before, after }, { paint }) =>
    `${paint.green('✓')} ${plain(tenant_id)} in ${month}: ${usedText(before)} → ${usedText(after)}`,
});

function usedText({ tokens, cost_usd }: { readonly tokens: number; readonly cost_usd: number }): string {
  return `${tokens} tokens, ${cost_usd} USD`;
}
