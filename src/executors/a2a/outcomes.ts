import { isObject, type Json } from '../../../machines/json.ts';
import { type Executor, type WorkContext, WorkError } from '../executor.ts';
import type { AgentAccess } from './remote-agents.ts';

/** Failures that say nothing of the agent. */
const NOT_OF_THE_AGENT: ReadonlySet<string> = new Set(['validation', 'blocked_address', 'budget_exceeded']);

/** The executor, which also remembers how its calls of agents end, and how long they take, for coordinators. */
export function remembering(executor: Executor, access: AgentAccess): Executor {
  const { directory } = access.agents;
  if (directory.record === undefined) return executor;
  const execute: Executor = async (work, context, onText, log) => {
    let uri: string | null = null;
    const startedAtMs = performance.now();
    // An address of personal data would be kept longer than the execution.
    const remember = (called: string, failed: boolean): void => {
      if (context.isPersonal?.(called) !== true)
        directory.record?.(context.tenantId, called, { failed, durationMs: performance.now() - startedAtMs });
    };
    try {
      // The events that say that an agent is called have its address.
      const result = await executor(work, context, onText, async (event, data) => {
        const called = data.agent_uri ?? data.agent;
        if (typeof called === 'string') uri = called;
        await log?.(event, data);
      });
      if (uri !== null) remember(uri, false);
      return result;
    } catch (error) {
      if (isOfTheAgent(error, context)) {
        const called = uri ?? (await addressIn(work.input, access, context.tenantId));
        if (called !== null) remember(called, true);
      }
      throw error;
    }
  };
  return executor.release === undefined ? execute : Object.assign(execute, { release: executor.release });
}

/** A call that is cancelled says nothing of the agent; one that takes too long does. */
function isOfTheAgent(error: unknown, { signal }: WorkContext): boolean {
  const cause = signal.aborted ? signal.reason : error;
  const errorClass = cause instanceof WorkError ? cause.errorClass : null;
  return signal.aborted ? errorClass === 'timeout' : !NOT_OF_THE_AGENT.has(errorClass ?? '');
}

/** The address of the agent that could not be called; null = it is not known. */
async function addressIn(input: Json, { agents, declared }: AgentAccess, tenantId: string): Promise<string | null> {
  const { remote_agent, agent } = isObject(input) ? input : {};
  const reference = remote_agent ?? agent;
  if (typeof reference !== 'string') return null;
  if (Object.hasOwn(declared, reference)) return declared[reference]?.url ?? null;
  if (/^https?:\/\//i.test(reference)) return reference;
  return (await agents.directory.find(tenantId, reference).catch(() => null))?.uri ?? null;
}
