import { createHash } from 'node:crypto';

/**
 * The id of a message: the same for every attempt of a visit, so that an agent can recognise a repeated one; another one for a later
 * `generation`, once the task of the message before is of no use.
 */
export function messageIdOf(idempotencyKey: string, generation: number): string {
  const digest = createHash('sha256').update(`${idempotencyKey}\n${generation}`).digest('hex');
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-${digest.slice(12, 16)}-${digest.slice(16, 20)}-${digest.slice(20, 32)}`;
}
