import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { memoryItems, namespaceTable } from '../../texts/memory.ts';

export const command = requestCommand({
  usage: {
    details: 'Lists the namespaces of the memory, or the items of one, the newest first.',
    examples: [
      ['List namespaces', '$0 memory list'],
      ['List the newest items', '$0 memory list handbook'],
      ['Save all items', "$0 memory list handbook --json | jq -c '.results[] | {id, text, metadata}' > handbook.jsonl"],
    ],
  },
  readOnly: true,
  options: () => ({ namespace: Option.String({ name: 'namespace', required: false }) }),
  call: async (client, { namespace }) => {
    if (namespace === undefined) return client.memory.namespaces({ limit: 1_000 });
    const found = await client.memory.list(namespace, { limit: 1_000 });
    const results = [...found.results];
    for (let cursor = found.next_cursor; cursor !== null; ) {
      const page = await client.memory.list(namespace, { limit: 1_000, cursor });
      results.push(...page.results);
      cursor = page.next_cursor;
    }
    return { ...found, results, next_cursor: null };
  },
  text: (reply, { paint, nowMs }) => {
    if ('namespaces' in reply) return reply.namespaces.length === 0 ? null : namespaceTable(reply.namespaces, nowMs, paint);
    return reply.results.length === 0 ? null : memoryItems(reply.results, nowMs, paint);
  },
  empty: 'nothing stored',
});
