import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { usageFailure } from '../../failure.ts';
import { count, plain } from '../../terminal/text.ts';

const ROLES = ['user', 'assistant'] as const;

export const command = requestCommand({
  usage: {
    details: `Appends messages to a thread, which is created if needed. Each TEXT is a message. Agents and models whose node names the
thread read them with their next turn.`,
    examples: [
      ['Add what a customer has said elsewhere', "$0 threads add customer-42 'I called you yesterday about order 7'"],
      ['Add an answer of a person', "$0 threads add customer-42 --role assistant 'We have refunded it'"],
    ],
  },
  options: () => ({
    id: Option.String({ name: 'thread' }),
    texts: Option.Rest({ name: 'text', required: 1 }),
    role: Option.String('--role', 'user', { description: 'Who says it: user or assistant (default user).' }),
  }),
  call: (client, { id, texts, role }) => {
    const known = ROLES.find((each) => each === role);
    if (known === undefined) throw usageFailure(`--role "${role}" is not one of ${ROLES.join(', ')}`);
    return client.threads.append(
      id,
      texts.map((content) => ({ role: known, content })),
    );
  },
  text: ({ thread_id, first_sequence, last_sequence, messages }, { paint }) => {
    const added = count(last_sequence - first_sequence + 1, 'message');
    return `${paint.green('✓ added')}  ${added} to ${plain(thread_id)}  ${paint.dim(`it has ${messages} now`)}`;
  },
});
