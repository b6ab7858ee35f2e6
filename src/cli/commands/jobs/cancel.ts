import { Option } from 'clipanion';
import { requestCommand } from '../../base/request-command.ts';
import { doneText } from '../../texts/job.ts';

export const command = requestCommand({
  usage: {
    details: 'Executions the job has already processed keep their new state; the others are not touched.',
    examples: [['Cancel a bulk job', '$0 jobs cancel job_0199…']],
  },
  options: () => ({ id: Option.String({ name: 'id' }) }),
  call: (client, { id }) => client.jobs.cancel(id),
  text: (job, { paint }) => `${paint.green('✓')} ${job.id} ${job.status}: ${doneText(job)}`,
});
