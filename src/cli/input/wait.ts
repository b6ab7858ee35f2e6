import { Option } from 'clipanion';
import { durationArgument } from './arguments.ts';

/** How long a command waits for executions that a job has retried. */
export const waitOption = () =>
  Option.String('--wait', {
    description: 'How long to wait for the retried executions to end: 90s, 15m, 12h; 0s does not wait. Default 10s.',
  });

/** In milliseconds; undefined = not given. Throws a usage `Failure`. */
export function waitArgument(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return text === '0s' ? 0 : durationArgument('--wait', text);
}
