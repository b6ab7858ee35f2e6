import { Option } from 'clipanion';
import { isObject, type JsonObject } from '../../../machines/json.ts';
import type { ForkExecution, JamjetClient, PastDecision } from '../../client/index.ts';
import { ClientCommand } from '../base/client-command.ts';
import type { Usage } from '../base/command.ts';
import { midStepNote } from '../connection/read-log.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { followAndReport } from '../following/follow-and-report.ts';
import { integerArgument, jsonArgument, sequenceArgument } from '../input/arguments.ts';
import { forkPointBefore } from '../input/fork-point.ts';
import { plain } from '../terminal/text.ts';

class ForkCommand extends ClientCommand {
  static override usage: Usage = {
    details: `The new execution starts with a copy of the log up to the given sequence and continues from there; the original is not changed. Work that
was running starts again, timers restart from now, and open approvals are requested again.

With another workflow version, the copied log must be one that this version would have written. Decisions of people in the copied log
must have been made on the same values as in the patched state. --dry-run reports both and starts nothing. Operators may keep changed
decisions with --keep-decisions; this is recorded in the log of the fork.`,
    examples: [
      ['Repeat the end of an execution', '$0 fork exec_0199… --at 12 --follow'],
      ['Repeat it from the node that failed', '$0 fork 4f2a11b2 --node charge --follow'],
      ['Repeat it with another value in the state', `$0 fork exec_0199… --at 12 --patch '{"amount": 80}'`],
      ['Keep an approval of the earlier value', `$0 fork exec_0199… --at 12 --patch '{"amount": 80}' --keep-decisions`],
      ['Check whether a fixed version accepts the log', '$0 fork exec_0199… --at 12 --workflow-version 1.1.0 --dry-run'],
    ],
  };

  protected override readonly executionOptions: readonly string[] = ['id'];
  id = Option.String({ name: 'id' });
  at = Option.String('--at', { description: 'Sequence of the event to continue from.' });
  node = Option.String('--node', {
    description: 'Continue from where this node was about to run: its last visit, or that of --visit.',
  });
  visit = Option.String('--visit', { description: 'With --node: the visit, 1 for the first.' });
  patch = Option.String('--patch', { description: 'Merge patch for the state: JSON text, @file or -.' });
  workflowVersion = Option.String('--workflow-version', { description: 'Continue with this version of the workflow.' });
  dryRun = Option.Boolean('--dry-run', false, {
    description: 'Only report whether the log fits the version, and which decisions it contains.',
  });
  keepDecisions = Option.Boolean('--keep-decisions', false, {
    description: 'Operators only: keep decisions that were made on other values than the patched state.',
  });
  follow = Option.Boolean('--follow', false, { description: 'Follow the new execution until it ends, like `run`.' });

  protected override get readOnly(): boolean {
    return this.dryRun;
  }

  protected override get changesOffline(): boolean {
    return !this.follow && !this.dryRun;
  }

  protected async request(client: JamjetClient): Promise<number> {
    const at_sequence = await this.#forkPoint(client);
    const request = {
      at_sequence,
      ...(this.patch === undefined ? {} : { state_patch: await this.#patchOf(this.patch) }),
      ...(this.workflowVersion === undefined ? {} : { workflow_version: this.workflowVersion }),
      ...(this.keepDecisions ? { keep_decisions: true } : {}),
    };
    if (this.dryRun) return this.#check(client, request);
    const answer = await client.history.fork(this.id, request);
    const { execution_id, forked_from } = answer;
    if (this.node === undefined && forked_from.sequence !== at_sequence)
      this.note(midStepNote(at_sequence, forked_from.sequence));
    const summary = `${execution_id} continues from ${forked_from.execution_id} at ${forked_from.sequence}`;
    if (this.follow) {
      if (!this.json) this.note(summary);
      return followAndReport(this.context, this, execution_id);
    }
    if (this.json) this.printJson(answer);
    else this.print(`${this.paint.green('✓ forked')}  ${summary}`);
    return EXIT.ok;
  }

  async #forkPoint(client: JamjetClient): Promise<number> {
    const { at, node, visit } = this;
    if ((at === undefined) === (node === undefined)) throw usageFailure('give --at SEQUENCE or --node NODE');
    if (node === undefined && visit !== undefined) throw usageFailure('--visit requires --node');
    if (node === undefined) return sequenceArgument('--at', at ?? '');
    const activation = visit === undefined ? null : integerArgument('--visit', visit, { min: 1, max: 1e9 });
    return forkPointBefore(client, this.id, node, activation);
  }

  async #check(client: JamjetClient, request: ForkExecution): Promise<number> {
    const { paint } = this;
    const answer = await client.history.checkFork(this.id, request);
    const { fits, mismatch, forked_from, decisions } = answer;
    const changedDecisions = this.keepDecisions ? [] : decisions.filter((decision) => decision.would_change);
    if (this.json) this.printJson(answer);
    else if (fits) this.print(`${paint.green('✓')} the log up to ${forked_from.sequence} fits`);
    else this.print(`${paint.red('✗')} the log up to ${forked_from.sequence} does not fit: ${plain(mismatch?.problem ?? '')}`);
    if (!this.json) for (const decision of decisions) this.print(this.#decision(decision));
    return fits && changedDecisions.length === 0 ? EXIT.ok : EXIT.failed;
  }

  #decision({ node_id, execution_id, sequence, decision, actor_id, would_change, last_free_sequence }: PastDecision): string {
    const where = execution_id === undefined ? '' : ` of ${execution_id}`;
    const text = `${plain(node_id)}${where} ${decision} by ${plain(actor_id)} at ${sequence}`;
    if (!would_change) return `${this.paint.dim('·')} ${text}`;
    return `${this.paint.red('✗')} ${text}, on other values than the patched state: fork at ${last_free_sequence} or earlier`;
  }

  async #patchOf(text: string): Promise<JsonObject> {
    const patch = await jsonArgument('--patch', text, this.context);
    if (!isObject(patch)) throw usageFailure('--patch must be a JSON object', `--patch '{"amount": 80}'`);
    return patch;
  }
}

export { ForkCommand as command };
