import { Option } from 'clipanion';
import { requestCommand } from '../base/request-command.ts';
import { durationArgument, jsonArgument } from '../input/arguments.ts';
import { plain } from '../terminal/text.ts';

export const command = requestCommand({
  usage: {
    details: `The durable function of the execution handles the update, and its answer is printed. A function takes the updates for which it has called
ctx.onUpdate. With --idempotency-key, sending the same update again prints the same answer and has no further effect.`,
    examples: [
      ['Add an item to a cart', `$0 update exec_0199… "add item" --input '{"sku": "b-7"}'`],
      ['Safe to repeat', '$0 update exec_0199… "add item" --input @item.json --idempotency-key item-77'],
    ],
  },
  executionOptions: ['id'],
  options: () => ({
    id: Option.String({ name: 'id' }),
    name: Option.String({ name: 'name' }),
    input: Option.String('-i,--input', 'null', {
      description: 'What the handler is given: JSON text, @file or - (default null).',
    }),
    wait: Option.String('--wait', '30s', {
      description: 'How long to wait until the function takes the update, and for the answer (default 30s, at most 60s).',
    }),
    idempotencyKey: Option.String('--idempotency-key', {
      description: 'Identifies this update, so that a repeated request is handled once.',
    }),
  }),
  call: async (client, { id, name, input, wait, idempotencyKey }, context) =>
    client.sendUpdate(
      id,
      { name, input: await jsonArgument('--input', input, context) },
      { waitMs: durationArgument('--wait', wait), ...(idempotencyKey === undefined ? {} : { idempotencyKey }) },
    ),
  text: ({ name, status, output = null }, { paint }) =>
    status === 'completed'
      ? `${paint.green('✓ handled')}  ${plain(name)}  ${plain(JSON.stringify(output))}`
      : `${paint.green('✓ accepted')}  ${plain(name)} is handled when the function comes to it`,
});
