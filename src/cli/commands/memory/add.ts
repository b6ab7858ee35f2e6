import { basename, resolve } from 'node:path';
import { Option } from 'clipanion';
import { isObject, type JsonObject } from '../../../../machines/json.ts';
import { requestCommand } from '../../base/request-command.ts';
import type { Context } from '../../context.ts';
import { usageFailure } from '../../failure.ts';
import { durationArgument, jsonArgument, readText } from '../../input/arguments.ts';
import { itemsOfFile, type NewItem } from '../../input/memory-items.ts';
import { count, plain } from '../../terminal/text.ts';

/** Items of one request. */
const BATCH = 200;

export const command = requestCommand({
  usage: {
    details: `Stores texts in a namespace of the memory, where \`memory_retrieval\` nodes and tools find them. Each TEXT is an item.

--file: a line of a .jsonl file is an item, {"text", "id"?, "metadata"?} or its text; any other file is divided into parts of a few
paragraphs, named FILE#1, FILE#2 … An item of the same id is replaced; without an id, the same text is stored once.`,
    examples: [
      ['Remember a sentence', "$0 memory add notes 'The office is closed on Mondays'"],
      ['Store a handbook in parts', '$0 memory add handbook --file handbook.md'],
      ['Store items of your own', '$0 memory add faq --file faq.jsonl'],
      ['Forget it after 30 days', '$0 memory add notes \'Ann is on leave\' --ttl 30d --metadata \'{"user": "ann"}\''],
    ],
  },
  options: () => ({
    namespace: Option.String({ name: 'namespace' }),
    texts: Option.Rest({ name: 'text' }),
    files: Option.Array('--file', { description: 'Store the items of a file; may be repeated.' }),
    id: Option.String('--id', { description: 'Id of the item, for one TEXT.' }),
    metadata: Option.String('--metadata', { description: 'Values that searches can filter by: a JSON object, @file or -.' }),
    ttl: Option.String('--ttl', { description: 'Time to live, such as 30d (default: it is kept).' }),
  }),
  call: async (client, { namespace, texts, files = [], id, metadata, ttl }, context) => {
    if (texts.length === 0 && files.length === 0) throw usageFailure('there is nothing to add: give a TEXT, or --file');
    if (id !== undefined && (texts.length !== 1 || files.length > 0)) throw usageFailure('--id is for a single TEXT');
    const common = metadata === undefined ? {} : await metadataArgument(metadata, context);
    const ttl_secs = ttl === undefined ? null : durationArgument('--ttl', ttl) / 1_000;
    const given = texts.map((text): NewItem => ({ text, ...(id === undefined ? {} : { id }) }));
    for (const file of files)
      given.push(...itemsOfFile(basename(file), await readText(resolve(context.cwd, file), `--file ${file}`)));
    const items = given.map((item) => ({
      ...item,
      metadata: { ...item.metadata, ...common },
      ...(ttl_secs === null ? {} : { ttl_secs }),
    }));
    const total = { namespace, ids: [] as string[], added: 0, replaced: 0 };
    for (let start = 0; start < items.length; start += BATCH) {
      const { ids, added, replaced } = await client.memory.add(namespace, items.slice(start, start + BATCH));
      total.ids.push(...ids);
      total.added += added;
      total.replaced += replaced;
    }
    return total;
  },
  text: ({ ids, added, replaced, namespace }, { paint }) => {
    const how = replaced === 0 ? '' : paint.dim(`  ${added} new, ${replaced} replaced`);
    return `${paint.green('✓ stored')}  ${count(ids.length, 'item')} in ${plain(namespace)}${how}`;
  },
});

async function metadataArgument(text: string, context: Context): Promise<JsonObject> {
  const value = await jsonArgument('--metadata', text, context);
  if (!isObject(value)) throw usageFailure('--metadata must be a JSON object');
  return value;
}
