import { MAX_UPDATE_CHARS, MAX_UPDATES } from '../../../machines/journal.ts';
import type { Json, JsonObject } from '../../../machines/json.ts';
import type { Update } from '../../../machines/messages.ts';
import { TERMINAL } from '../../../machines/run.ts';
import { nextForUpdates, updateHandlers } from '../../../machines/step/index.ts';
import { didYouMean } from '../../../machines/suggest.ts';
import { type CheckInput, inputCheck } from '../../executors/input-schema.ts';
import { actorOf } from '../actor.ts';
import type { MessageOutcome, RefusedMessage } from '../engine/envelope.ts';
import { RuntimeError, truncated } from '../errors.ts';
import { MAX_WAIT_MS, type UpdateQueries } from '../queries/update-queries.ts';
import type { Caller } from '../types/caller.ts';
import type { UpdateReceipt, UpdateRequest } from '../types/executions.ts';
import type { Runtime } from '../types/runtime.ts';
import { type CommandContext, endedError, runCommand, sendCommand } from './command.ts';
import { idempotentRequest, responseRow, unlessRepeated } from './idempotency.ts';
import { requestTexts } from './storable-text.ts';

/** No function takes the update, but one may name it without anything from outside. */
class NotYetTaken extends RuntimeError {
  readonly executionId: string;

  constructor(executionId: string, message: string) {
    super('not_found', message);
    this.executionId = executionId;
  }
}

/** An update that no function takes yet is sent again when one does. Meanwhile it is no request in progress. */
export function sendUpdateCommand(context: CommandContext, updates: UpdateQueries): Runtime['sendUpdate'] {
  const checks = new SchemaChecks();
  return async (caller, id, update, waitMs = MAX_WAIT_MS, signal) => {
    const untilMs = updates.endOfWait(waitMs);
    for (let isLast = waitMs <= 0; ; ) {
      try {
        return await send(context, checks, caller, id, update);
      } catch (error) {
        if (!(error instanceof NotYetTaken) || isLast) throw error;
        isLast = !(await updates.untilDecided(caller.tenantId, error.executionId, update.name, untilMs, signal));
        if (signal?.aborted === true) throw error;
      }
    }
  };
}

function send(
  context: CommandContext,
  checks: SchemaChecks,
  caller: Caller,
  id: string,
  update: UpdateRequest,
): Promise<UpdateReceipt> {
  const { store, executions, clock, quotas } = context;
  return runCommand(context, caller, { work: 'adds', texts: requestTexts.update(update) }, async () => {
    const { name, input, idempotencyKey } = update;
    const { tenantId } = caller;
    const once = idempotentRequest(tenantId, `update:${id}`, idempotencyKey, () => ({ name, input }));
    const receipt = await unlessRepeated(store, once, async () => {
      await quotas.mayStore(tenantId);
      // The last one of those that continue the execution.
      const to = (await executions.current(tenantId, id)) ?? id;
      await assertTaken(context, tenantId, to, update, checks);
      const message: Update = { type: 'update', name, input };
      const receiptOf = (sent: MessageOutcome): UpdateReceipt => ({ executionId: to, sequence: sequenceOf(sent) });
      const outcome = await sendCommand(context, caller, to, message, {
        actor: actorOf(caller),
        ...(once === null ? {} : { idempotencyRow: (sent) => responseRow(once, to, { ...receiptOf(sent) }, clock.nowMs()) }),
      });
      if (!('refused' in outcome)) return receiptOf(outcome);
      if (outcome.refused === 'terminal') throw await endedError(context, caller, to);
      throw refusal(outcome, to, name);
    });
    return 'earlier' in receipt ? (receipt.earlier as unknown as UpdateReceipt) : receipt;
  });
}

/** Of the event with which the update came. */
function sequenceOf(sent: MessageOutcome): number {
  const received = 'refused' in sent ? undefined : sent.events.find(({ type }) => type === 'update_received');
  if (received === undefined) throw new TypeError('the step of an update has not logged it');
  return received.sequence;
}

function refusal({ refused }: RefusedMessage, id: string, name: string): RuntimeError {
  switch (refused) {
    case 'unknown_update':
      return unknownUpdate(id, name, []);
    case 'too_many_updates': {
      const limits = `${MAX_UPDATES.toLocaleString('en')} updates, or ${MAX_UPDATE_CHARS / 1024 / 1024} MiB of them`;
      return new RuntimeError('too_many_events', `the function has had ${limits}: it takes more when it has continued as new`);
    }
    case 'ending':
      return new RuntimeError('conflict', `execution ${id} is about to end; it takes no more updates`);
    default:
      return new RuntimeError('conflict', `execution ${id} does not take the update: ${refused}`);
  }
}

const NEXT = {
  begin: 'no function of it has begun',
  claim: 'no worker has claimed its function',
  work: 'its function, which is at work, has not called ctx.onUpdate for it',
} as const;

function unknownUpdate(id: string, name: string, known: readonly string[], next: keyof typeof NEXT | null = null): RuntimeError {
  const shown = `execution ${id} takes no update ${JSON.stringify(truncated(name))}`;
  const hint = didYouMean(name, known);
  const others = known.length === 0 ? '' : `; it takes ${known.map(truncated).join(', ')}${hint === null ? '' : `; ${hint}`}`;
  if (next !== null) return new NotYetTaken(id, `${shown} yet: ${NEXT[next]}${others}`);
  const reason = known.length === 0 ? ': no function of it has called ctx.onUpdate for it' : others;
  return new RuntimeError('not_found', `${shown}${reason}`);
}

/** Rejects with `not_found`, `NotYetTaken` or `invalid_input` for what the function does not take. */
async function assertTaken(
  { executions }: CommandContext,
  tenantId: string,
  id: string,
  { name, input }: UpdateRequest,
  checks: SchemaChecks,
): Promise<void> {
  const { run, loaded } = await executions.load(tenantId, id);
  // What has ended says so itself.
  if (TERMINAL.has(run.status)) return;
  const handlers = updateHandlers(run);
  if (!handlers.has(name)) throw unknownUpdate(id, name, [...handlers.keys()], nextForUpdates(loaded.program, run));
  const schema = handlers.get(name);
  const problem = schema === undefined ? null : await checks.problemOf(schema, name, input);
  if (problem !== null)
    throw new RuntimeError('invalid_input', `the input does not fit the schema of update ${name}: ${problem}`);
}

/** The checks of schemas, each compiled once, as long as its journal is in memory. The inputs of one schema are checked in the order in which they come. */
class SchemaChecks {
  readonly #checks = new WeakMap<JsonObject, { readonly check: CheckInput; last: Promise<unknown> }>();

  async problemOf(schema: JsonObject, name: string, input: Json): Promise<string | null> {
    const known = this.#checks.get(schema) ?? { check: inputCheck(schema), last: Promise.resolve() };
    this.#checks.set(schema, known);
    const problem = known.last.then(() => known.check(input));
    known.last = problem.catch(() => {});
    return problem.catch((cause: unknown) => {
      const reason = truncated(cause instanceof Error ? cause.message : String(cause));
      throw new RuntimeError('invalid_input', `the schema of update ${name} cannot check inputs: ${reason}`, { cause });
    });
  }
}
