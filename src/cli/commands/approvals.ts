import { Option } from 'clipanion';
import type { ApprovalItem, ApprovalList, JamjetClient } from '../../client/index.ts';
import { ago } from '../../views/time.ts';
import { ClientCommand } from '../base/client-command.ts';
import type { Usage } from '../base/command.ts';
import { listenForInterrupt } from '../context.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { approvalLines } from '../following/approval.ts';
import { followApprovals, InboxSession } from '../following/inbox.ts';
import { choiceArgument, integerArgument } from '../input/arguments.ts';
import { columnsOf } from '../terminal/dimensions.ts';
import { plain, shellWord } from '../terminal/text.ts';
import { decidedText, pendingText } from '../texts/inbox.ts';

const MAX_LIMIT = 500;

class ApprovalsCommand extends ClientCommand {
  static override usage: Usage = {
    details: `Without an id: what waits for a decision in all executions, the longest wait first. With --watch at a terminal, new approvals appear as
they come, and decisions are taken: the number of a line, or the end of its id, then y or n and a comment.`,
    examples: [
      ['List what waits for a decision', '$0 approvals'],
      ['Decide, and watch what comes', '$0 approvals --watch'],
      ['List the last decisions in executions of a workflow', '$0 approvals --status decided --workflow refund-approval'],
      ['Show the approvals of an execution', '$0 approvals 4f2a11b2'],
    ],
  };

  protected override readonly executionOptions: readonly string[] = ['id'];
  id = Option.String({ name: 'id', required: false });
  status = Option.String('-s,--status', { description: 'pending (the default) or decided.' });
  workflow = Option.String('-w,--workflow', { description: 'Only approvals in executions of this workflow.' });
  limit = Option.String('--limit', '50', { description: `Maximum number of approvals, 1 to ${MAX_LIMIT} (default 50).` });
  cursor = Option.String('--cursor', { description: 'Start after an earlier page: its next_cursor.' });
  watch = Option.Boolean('--watch', false, { description: 'Show changes as they come, and decide at a terminal, until Ctrl-C.' });

  protected override get readOnly(): boolean {
    return !this.watch;
  }

  protected async request(client: JamjetClient): Promise<number> {
    const { id } = this;
    if (id === undefined) return this.#inbox(client);
    if (this.status !== undefined || this.workflow !== undefined || this.cursor !== undefined || this.watch)
      throw usageFailure('--status, --workflow, --cursor and --watch are for the approvals of all executions: give no id');
    return this.#ofExecution(client, id);
  }

  async #inbox(client: JamjetClient): Promise<number> {
    const status = choiceArgument('--status', this.status ?? 'pending', ['pending', 'decided']);
    const query = {
      status,
      include_state: this.json && !this.watch,
      limit: integerArgument('--limit', this.limit, { min: 1, max: MAX_LIMIT }),
      ...(this.workflow === undefined ? {} : { workflow_id: this.workflow }),
      ...(this.cursor === undefined ? {} : { cursor: this.cursor }),
    };
    if (!this.watch) return this.#print(await client.approvalInbox(query));
    if (status === 'decided') throw usageFailure('--watch shows pending approvals: leave out --status decided');
    const interrupt = listenForInterrupt(this.context.signals);
    const read = async (signal: AbortSignal): Promise<readonly ApprovalItem[]> =>
      (await client.approvalInbox(query, { signal })).approvals;
    try {
      const { stdin, stdout } = this.context;
      if (!this.json && stdout.isTTY === true && stdin.isTTY === true)
        return await new InboxSession(client, this.context, read, interrupt).run();
      return await this.#printChanges(client, read, interrupt.signal);
    } finally {
      interrupt.stopListening();
    }
  }

  #print(list: ApprovalList): number {
    const { approvals, next_cursor } = list;
    if (this.json) {
      this.printJson(list);
      return EXIT.ok;
    }
    if (approvals.length === 0) this.note(this.status === 'decided' ? 'no decisions' : 'no pending approvals');
    else this.print(this.#text(approvals));
    if (next_cursor !== null) this.note(`more approvals: add --cursor ${next_cursor}`);
    if (approvals.length > 0 && this.status !== 'decided')
      this.note('decide with: jamjet approve ID [--decision rejected] [--comment TEXT], or here with --watch');
    return EXIT.ok;
  }

  /** Without a terminal: the list again, whenever it has changed. */
  async #printChanges(
    client: JamjetClient,
    read: (signal: AbortSignal) => Promise<readonly ApprovalItem[]>,
    signal: AbortSignal,
  ): Promise<number> {
    let shown: string | null = null;
    const onChange = async (): Promise<void> => {
      const approvals = await read(signal);
      const now = JSON.stringify(approvals);
      if (now === shown) return;
      if (this.json) this.print(JSON.stringify({ approvals }));
      else this.print(`${shown === null ? '' : '\n'}${approvals.length === 0 ? 'no pending approvals' : this.#text(approvals)}`);
      shown = now;
    };
    try {
      return await followApprovals(client, signal, onChange, (reason) => this.warn(`${reason}: reconnecting`));
    } catch (error) {
      if (!signal.aborted) throw error;
      return EXIT.interrupted;
    }
  }

  #text(approvals: readonly ApprovalItem[]): string {
    const style = { paint: this.paint, nowMs: Date.now(), columns: columnsOf(this.context.stdout) };
    if (this.status === 'decided') return decidedText(approvals, style);
    return pendingText(
      approvals.map((approval, at) => ({ number: at + 1, approval })),
      style,
    );
  }

  async #ofExecution(client: JamjetClient, id: string): Promise<number> {
    const approvals = await client.approvals(id);
    if (this.json) {
      this.printJson(approvals);
      return EXIT.ok;
    }
    const { paint } = this;
    const nowMs = Date.now();
    if (approvals.pending.length === 0 && approvals.decided.length === 0) this.note('no approvals');
    for (const pending of approvals.pending) {
      this.print(
        [
          `${paint.yellow('◆')} ${paint.bold(plain(pending.node_id))}  waiting for ${ago(Date.parse(pending.requested_at), nowMs).replace(/ ago$/, '')}`,
          ...approvalLines(pending, nowMs, paint),
        ].join('\n'),
      );
      this.print(
        `\n    ${paint.dim('decide with')}  jamjet approve ${id} --node-id ${plain(shellWord(pending.node_id))} --decision approved\n`,
      );
    }
    for (const decided of approvals.decided) {
      const mark = decided.status === 'approved' ? paint.green('✓') : paint.red('✗');
      const forWhom = decided.on_behalf_of === undefined ? '' : ` on behalf of ${plain(decided.on_behalf_of)}`;
      const comment = decided.comment === null ? '' : `: ${plain(decided.comment)}`;
      this.print(
        `${mark} ${paint.bold(plain(decided.node_id))}  ${decided.status} by ${plain(decided.actor_id)}${forWhom} ${ago(Date.parse(decided.decided_at), nowMs)}${comment}`,
      );
    }
    return EXIT.ok;
  }
}

export { ApprovalsCommand as command };
