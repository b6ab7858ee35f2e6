import type { Budgets as LoggedBudgets } from '../../../machines/messages.ts';
import { activeOf, exceededBudgetOf } from '../../../machines/step/index.ts';
import { actorOf } from '../actor.ts';
import type { CachedExecution } from '../engine/loading/cached-execution.ts';
import { RuntimeError } from '../errors.ts';
import type { Budgets } from '../types/executions.ts';
import type { Runtime } from '../types/runtime.ts';
import { type CommandContext, endedError, runCommand, sendCommand } from './command.ts';

export function resumeCommand(context: CommandContext): Runtime['resume'] {
  const { executions } = context;
  return (caller, id, budgets) =>
    runCommand(context, caller, { work: 'adds' }, async () => {
      const message = { type: 'resume', ...(budgets === undefined ? {} : { budgets: loggedBudgets(budgets) }) } as const;
      const outcome = await sendCommand(context, caller, id, message, { actor: actorOf(caller) });
      if (!('refused' in outcome)) return;
      if (outcome.refused !== 'not_suspended' && outcome.refused !== 'over_budget') throw await endedError(context, caller, id);
      const execution = await executions.load(caller.tenantId, id);
      if (outcome.refused === 'over_budget') {
        const exceeded = exceededBudgetOf(execution.loaded.program, execution.run) ?? 'the budget sent is exceeded already';
        const hint = 'resume it with a greater total, as token_budget or cost_budget_usd';
        throw new RuntimeError('conflict', `execution ${id} has used more than it may (${exceeded}): ${hint}`);
      }
      throw new RuntimeError('conflict', `execution ${id} is not paused by an operator${pendingOf(execution)}`);
    });
}

/** The budgets in the form of the log. */
function loggedBudgets({ tokenBudget, costBudgetUsd }: Budgets): LoggedBudgets {
  const { inputTokens, outputTokens, totalTokens } = tokenBudget ?? {};
  return {
    token_budget:
      tokenBudget === undefined
        ? null
        : {
            ...(inputTokens === undefined ? {} : { input_tokens: inputTokens }),
            ...(outputTokens === undefined ? {} : { output_tokens: outputTokens }),
            ...(totalTokens === undefined ? {} : { total_tokens: totalTokens }),
          },
    cost_budget_usd: costBudgetUsd ?? null,
  };
}

/** What an execution that is not suspended waits for, and the call that continues it. */
function pendingOf({ loaded, run }: CachedExecution): string {
  const pending = activeOf(loaded.program, run).flatMap(({ node, phase, waitsFor }) => {
    if (phase === 'approval' || phase === 'awaiting_approval') return `node ${node} waits for a decision (approve)`;
    if (phase !== 'waiting') return [];
    return waitsFor === null ? `node ${node} waits for its time` : `node ${node} waits for event ${waitsFor} (external-event)`;
  });
  return pending.length === 0 ? '' : `: ${pending.join('; ')}`;
}
