import type { Message } from '../../../machines/messages.ts';
import type { RuntimeContext } from '../context.ts';
import { retryForever } from '../retry-forever.ts';
import type { Engine } from './engine.ts';
import type { MessageOutcome, Preconditions } from './envelope.ts';

/**
 * Delivers a message of the runtime itself. Retries while the store is away; null = given up, because the runtime stops or the
 * execution is corrupt.
 */
export type Deliver = (executionId: string, message: Message, preconditions?: Preconditions) => Promise<MessageOutcome | null>;

export function createDeliver(context: RuntimeContext, engine: Engine): Deliver {
  const { actor } = context;
  return (executionId, message, preconditions) => {
    const options = { actor, ...(preconditions === undefined ? {} : { preconditions }) };
    return retryForever(context, () => engine.send(executionId, message, options));
  };
}
