import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { plain } from '../../terminal/text.ts';

export const command = requestCommand({
  usage: {
    details: `Requires a token of an operator of tenant default. Bytes are counted when they are written and deleted, so this is needed only after
changes of the database by hand. What was counted before holds until the new count is complete ("jamjet tenants get").`,
    examples: [['Count what a tenant stores anew', '$0 tenants recount acme']],
  },
  options: () => ({ id: Option.String({ name: 'id' }) }),
  call: (client, { id }) => client.tenants.recountStorage(id),
  text: ({ tenant_id }, { paint }) => `${paint.green('✓')} what ${plain(tenant_id)} stores is being counted anew`,
});
