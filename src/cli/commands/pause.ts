import { Option } from 'clipanion';
import { requestCommand } from '../base/request-command.ts';

export const command = requestCommand({
  usage: {
    details: 'Work that is running completes; nothing new starts until `resume`. Child executions are not paused with it.',
    examples: [
      ['Pause an execution', '$0 pause exec_0199…'],
      ['Pause it and give a reason', '$0 pause exec_0199… --reason "the bank is closed"'],
    ],
  },
  executionOptions: ['id'],
  changesOffline: true,
  options: () => ({
    id: Option.String({ name: 'id' }),
    reason: Option.String('--reason', { description: 'Shown with the execution and recorded in the event log.' }),
  }),
  call: (client, { id, reason }) => client.pause(id, reason),
  text: ({ execution_id, status }, { paint }) => `${paint.yellow('◆')} ${execution_id} ${status}`,
  note: ({ execution_id }) => `Resume it with: jamjet resume ${execution_id}`,
});
