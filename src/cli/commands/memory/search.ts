import { Option } from 'clipanion';
import { isObject } from '../../../../machines/json.ts';
import { requestCommand } from '../../base/request-command.ts';
import { usageFailure } from '../../failure.ts';
import { integerArgument, jsonArgument } from '../../input/arguments.ts';
import { memoryItems } from '../../texts/memory.ts';

export const command = requestCommand({
  usage: {
    details: 'Finds the items with any word of the query, the best first: rare words count most. Case and endings do not matter.',
    examples: [
      ['Ask the handbook', '$0 memory search handbook how long does a refund take'],
      ['Search what concerns a user', '$0 memory search notes leave --filter \'{"user": "ann"}\''],
    ],
  },
  readOnly: true,
  options: () => ({
    namespace: Option.String({ name: 'namespace' }),
    words: Option.Rest({ name: 'query', required: 1 }),
    limit: Option.String('-n,--limit', '5', { description: 'Number of results, at most 100 (default 5).' }),
    filter: Option.String('--filter', { description: 'Values that the metadata must have: a JSON object, @file or -.' }),
  }),
  call: async (client, { namespace, words, limit, filter }, context) => {
    const wanted = filter === undefined ? {} : await jsonArgument('--filter', filter, context);
    if (!isObject(wanted)) throw usageFailure('--filter must be a JSON object');
    return client.memory.search(namespace, words.join(' '), {
      limit: integerArgument('--limit', limit, { min: 1, max: 100 }),
      filter: wanted,
    });
  },
  text: ({ results, truncated }, { paint, nowMs }) => {
    if (results.length === 0) return null;
    const items = memoryItems(results, nowMs, paint);
    return truncated
      ? `${items}\n${paint.dim('More items have these words than a search looks at: ask with rarer words.')}`
      : items;
  },
  empty: 'nothing found',
});
