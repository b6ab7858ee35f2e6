import type { Message } from '../../../machines/messages.ts';
import type { RuntimeContext } from '../context.ts';
import type { Engine } from '../engine/engine.ts';
import type { MessageOptions, MessageOutcome } from '../engine/envelope.ts';
import type { WorkflowCache } from '../engine/loading/workflow-cache.ts';
import { RuntimeError } from '../errors.ts';
import { type ExecutionQueries, executionNotFound } from '../queries/execution-queries.ts';
import type { Quotas } from '../quotas/quotas.ts';
import type { SubjectTokens } from '../subject-tokens/subject-tokens.ts';
import type { Caller } from '../types/caller.ts';
import type { ExecutionView } from '../types/executions.ts';
import type { Admission } from './admission.ts';
import { assertStorable, type RequestTexts } from './storable-text.ts';

/** What the commands work with. */
export interface CommandContext extends RuntimeContext {
  readonly admission: Admission;
  readonly engine: Engine;
  readonly executions: ExecutionQueries;
  readonly quotas: Quotas;
  readonly workflows: WorkflowCache;
  readonly subjectTokens: SubjectTokens;
  /** Completed nodes after which an execution fails. */
  readonly stepLimit: number;
}

export interface CommandOptions {
  /**
   * `adds`: refused while the runtime is overloaded. `reduces`: admitted until the runtime shuts down, since it leaves less work.
   */
  readonly work: 'adds' | 'reduces';
  readonly texts?: RequestTexts;
}

/** Runs a command of a client. Rejects with `bad_request` for texts that cannot be stored, and with `overloaded` or `shutting_down`. */
export async function runCommand<T>(
  { admission }: CommandContext,
  { tenantId }: Caller,
  { work, texts }: CommandOptions,
  command: () => Promise<T>,
): Promise<T> {
  if (texts !== undefined) assertStorable(texts);
  if (work === 'adds') return admission.run(tenantId, command);
  admission.assertOpen();
  return command();
}

/** Sends the message of a client's command. Rejects with `not_found` if the tenant has no such execution. */
export async function sendCommand(
  { engine }: CommandContext,
  { tenantId }: Caller,
  id: string,
  message: Message,
  options: Omit<MessageOptions, 'tenantId'>,
): Promise<MessageOutcome> {
  const outcome = await engine.send(id, message, { tenantId, ...options });
  if ('refused' in outcome && outcome.refused === 'unknown') throw executionNotFound(id);
  return outcome;
}

/**
 * Runs `start`, which makes an execution live, within the tenant's quotas. Rejects with `tenant_not_active` or
 * `limit_exceeded_…`.
 */
export async function withinQuotas<T>(
  { quotas }: Pick<CommandContext, 'quotas'>,
  tenantId: string,
  executionId: string,
  start: () => Promise<T>,
): Promise<T> {
  const admitted = quotas.admit(tenantId, executionId);
  if (admitted !== null) await admitted;
  try {
    return await start();
  } finally {
    quotas.release(tenantId, executionId);
  }
}

/**
 * Sends the message to the execution, or, if that has ended and another one continues it, to the last one that does, also when the first one of the
 * chain has been removed. Resolves to the execution that took or refused it.
 */
export async function sendToCurrent(
  context: CommandContext,
  caller: Caller,
  id: string,
  message: Message,
  options: Omit<MessageOptions, 'tenantId'>,
): Promise<{ readonly id: string; readonly outcome: MessageOutcome }> {
  for (let to = id; ; ) {
    const outcome = await context.engine.send(to, message, { tenantId: caller.tenantId, ...options });
    if ('refused' in outcome && outcome.refused === 'unknown') {
      // Removed, perhaps meanwhile.
      const present = await context.executions.present(caller.tenantId, to);
      if (present === to) throw executionNotFound(id);
      to = present;
      continue;
    }
    const hasEnded = 'refused' in outcome && outcome.refused === 'terminal';
    const current = hasEnded ? await context.executions.current(caller.tenantId, to) : null;
    if (current === null || current <= to) return { id: to, outcome };
    to = current;
  }
}

/** How an execution has ended, and which one continues it now, to which the request may be sent instead. */
export function endOf({ status, nextExecutionId, currentExecutionId }: ExecutionView): string {
  if (nextExecutionId === null) return status;
  const isLonger = currentExecutionId !== null && currentExecutionId !== nextExecutionId;
  return `${status}, continued as ${nextExecutionId}${isLonger ? `, now ${currentExecutionId}` : ''}`;
}

/** The error for an execution that has ended. */
export async function endedError({ executions }: CommandContext, caller: Caller, id: string): Promise<RuntimeError> {
  return new RuntimeError('conflict', `execution ${id} has ended: ${endOf(await executions.execution(caller.tenantId, id))}`);
}
