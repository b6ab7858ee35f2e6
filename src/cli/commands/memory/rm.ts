import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { usageFailure } from '../../failure.ts';
import { count, plain } from '../../terminal/text.ts';

export const command = requestCommand({
  usage: {
    details: 'Deletes an item of the memory, or with --all a namespace with all its items. There is no way back.',
    examples: [
      ['Delete an item', '$0 memory rm handbook handbook.md#3'],
      ['Delete a namespace', '$0 memory rm handbook --all'],
    ],
  },
  options: () => ({
    namespace: Option.String({ name: 'namespace' }),
    id: Option.String({ name: 'id', required: false }),
    all: Option.Boolean('--all', false, { description: 'Delete all items of the namespace.' }),
  }),
  call: (client, { namespace, id, all }) => {
    if ((id === undefined) !== all) throw usageFailure('name the item to delete, or use --all for the whole namespace');
    return client.memory.delete(namespace, id);
  },
  text: ({ namespace, deleted }, { paint }) => `${paint.green('✓ deleted')}  ${count(deleted, 'item')} of ${plain(namespace)}`,
});
