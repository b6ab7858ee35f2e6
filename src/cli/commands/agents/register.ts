import { Option } from 'clipanion';
import { isObject } from '../../../../machines/json.ts';
import type { AgentCardInput } from '../../../client/index.ts';
import { requestCommand } from '../../base/request-command.ts';
import { usageFailure } from '../../failure.ts';
import { jsonArgument } from '../../input/arguments.ts';
import { plain } from '../../terminal/text.ts';

export const command = requestCommand({
  usage: {
    details: 'The card is a JSON file, or - for standard input. Registering an existing id replaces its card.',
    examples: [
      ['Register from a file', '$0 agents register card.json'],
      ['Register from the output of a program', './describe-agent | $0 agents register -'],
    ],
  },
  options: () => ({ card: Option.String({ name: 'card' }) }),
  call: async (client, { card }, context) => {
    const text = card === '-' || card.startsWith('@') ? card : `@${card}`;
    const value = await jsonArgument('CARD', text, context);
    if (!isObject(value)) throw usageFailure(`${card} is not an agent card: a card is a JSON object`);
    // The server validates the card and names the missing fields.
    return client.agents.register(value as AgentCardInput);
  },
  text: ({ id, status, uri }, { paint }) => `${paint.green('✓')} ${paint.bold(plain(id))} ${status}  ${paint.dim(plain(uri))}`,
  note: ({ id, status }) => (status === 'registered' ? `  Activate it with: jamjet agents activate ${plain(id)}` : null),
});
