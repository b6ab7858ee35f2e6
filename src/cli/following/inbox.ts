import { ApiError, type ApprovalItem, type JamjetClient, Unreachable } from '../../client/index.ts';
import { APPROVAL_CHANGES } from '../../views/approval-inbox.ts';
import { shortId } from '../../views/short-id.ts';
import type { Context, Interrupt } from '../context.ts';
import { EXIT } from '../failure.ts';
import { sleep } from '../sleep.ts';
import { dimensionsOf } from '../terminal/dimensions.ts';
import { type Paint, paintFor } from '../terminal/paint.ts';
import { Screen } from '../terminal/screen.ts';
import { plain } from '../terminal/text.ts';
import { type Numbered, pendingText } from '../texts/inbox.ts';
import { approvalLines } from './approval.ts';

const RECONNECT_MS = 1_000;
const HELP = 'decide with a number or an id, y or n, and a comment: 1 y fine. 1 s shows the state, Enter lists, q quits.';

export type ReadInbox = (signal: AbortSignal) => Promise<readonly ApprovalItem[]>;

/** Calls `onChange` at the start, and whenever approvals of the tenant may have changed, until the signal aborts. */
export async function followApprovals(
  client: JamjetClient,
  signal: AbortSignal,
  onChange: () => Promise<void>,
  onLost: (reason: string) => void,
): Promise<never> {
  let isKnown = false;
  for (let isLost = false; ; ) {
    try {
      const events = client.live.tenant({ kinds: APPROVAL_CHANGES, signal });
      // The stream begins before the list is read, so that nothing in between is missed.
      const first = events.next();
      first.catch(() => undefined);
      await onChange();
      isKnown = true;
      isLost = false;
      for (let next = await first; next.done !== true; next = await events.next()) await onChange();
    } catch (error) {
      signal.throwIfAborted();
      if (!isKnown || !(error instanceof Unreachable)) throw error;
      if (!isLost) onLost(error.message);
      isLost = true;
    }
    await sleep(RECONNECT_MS, signal);
  }
}

/** The inbox at a terminal: shows what waits for a decision as it comes, and takes decisions. */
export class InboxSession {
  readonly #client: JamjetClient;
  readonly #read: ReadInbox;
  readonly #interrupt: Interrupt;
  readonly #screen: Screen;
  readonly #paint: Paint;
  readonly #columns: () => number;
  readonly #entries = new Map<string, Numbered>();
  /** Decided here, so that their end is no news. */
  readonly #decided = new Set<string>();
  #lastNumber = 0;

  constructor(client: JamjetClient, context: Context, read: ReadInbox, interrupt: Interrupt) {
    this.#client = client;
    this.#read = read;
    this.#interrupt = interrupt;
    this.#screen = new Screen(context.stdout, context.stdin);
    this.#paint = paintFor(context.stdout, context.env);
    this.#columns = () => dimensionsOf(context.stdout).columns;
  }

  /** Resolves to the exit code when the person quits. */
  async run(): Promise<number> {
    const ended = new AbortController();
    const signal = AbortSignal.any([this.#interrupt.signal, ended.signal]);
    let isFirst = true;
    let listed = (): void => {};
    const first = new Promise<void>((resolve) => {
      listed = resolve;
    });
    const onChange = async (): Promise<void> => {
      const list = await this.#read(signal);
      this.#update(list, !isFirst);
      if (isFirst) this.#list();
      isFirst = false;
      listed();
    };
    const lost = (reason: string): void => this.#note(`${reason}: reconnecting`);
    const following = followApprovals(this.#client, signal, onChange, lost);
    try {
      await Promise.race([following, first]);
      this.#note(HELP);
      await Promise.race([following, this.#ask(signal)]);
      return EXIT.ok;
    } catch (error) {
      if (!this.#interrupt.signal.aborted) throw error;
      return EXIT.interrupted;
    } finally {
      ended.abort();
      await following.catch(() => undefined);
      this.#screen.close();
    }
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const prompt = `${this.#paint.yellow('?')} Decide: `;
    for (;;) {
      const answer = await this.#screen.ask(prompt, { signal, interrupted: this.#interrupt.raise });
      if (answer === null) {
        signal.throwIfAborted();
        return;
      }
      const [, reference = '', word = '', comment = ''] = /^\s*(\S*)\s*(\S*)\s*(.*?)\s*$/s.exec(answer) ?? [];
      if (/^q(uit)?$/i.test(reference)) return;
      if (reference === '') this.#list();
      else await this.#answer(reference, word, comment);
    }
  }

  async #answer(reference: string, word: string, comment: string): Promise<void> {
    const [entry, other] = this.#matching(reference);
    if (entry === undefined) return this.#note(`nothing in the list is ${plain(reference)}`);
    if (other !== undefined) return this.#note(`several wait under ${plain(reference)}: give the number`);
    const { approval } = entry;
    const decision = /^(y|yes|approve|approved)$/i.test(word)
      ? 'approved'
      : /^(n|no|reject|rejected)$/i.test(word)
        ? 'rejected'
        : null;
    if (decision === null) return this.#show(approval, /^s(tate)?$/i.test(word));
    this.#decided.add(keyOf(approval));
    try {
      const { execution_id, node_id } = approval;
      await this.#client.approve(execution_id, { decision, node_id, ...(comment === '' ? {} : { comment }) });
      const mark = decision === 'approved' ? this.#paint.green('✓ approved') : this.#paint.red('✗ rejected');
      this.#screen.print(`${mark}  ${entry.number}  ${shortId(execution_id)}  ${plain(node_id)}`);
      this.#entries.delete(keyOf(approval));
    } catch (error) {
      if (!(error instanceof ApiError) && !(error instanceof Unreachable)) throw error;
      this.#note(plain(error.message));
    }
  }

  /** By the number, else by a part of the id. */
  #matching(reference: string): readonly Numbered[] {
    const entries = [...this.#entries.values()];
    const byNumber = entries.filter(({ number }) => String(number) === reference);
    if (byNumber.length > 0 || reference.length < 4) return byNumber;
    return entries.filter(({ approval }) => approval.execution_id.includes(reference.toLowerCase()));
  }

  async #show(approval: ApprovalItem, withState: boolean): Promise<void> {
    const context = { ...approval.context, ...(approval.expires_at === null ? {} : { timeout_at: approval.expires_at }) };
    for (const line of approvalLines({ ...approval, context }, Date.now(), this.#paint)) this.#screen.print(line);
    this.#screen.print('');
    if (!withState) return;
    const { state } = await this.#client.execution(approval.execution_id);
    for (const line of JSON.stringify(state, null, 2).split('\n')) this.#note(plain(line));
  }

  /** Numbers stay what they are while the session lasts. */
  #update(list: readonly ApprovalItem[], announce: boolean): void {
    const now = new Map(list.map((approval) => [keyOf(approval), approval]));
    for (const [key, { number, approval }] of this.#entries) {
      if (now.has(key)) continue;
      this.#entries.delete(key);
      if (!this.#decided.has(key)) this.#note(`${number}  ${shortId(approval.execution_id)}  no longer waits`);
    }
    for (const [key, approval] of now) {
      const number = this.#entries.get(key)?.number ?? ++this.#lastNumber;
      const isNew = !this.#entries.has(key);
      if (isNew && this.#decided.has(key)) continue;
      this.#entries.set(key, { number, approval });
      if (!isNew || !announce) continue;
      const place = `${plain(approval.workflow_id)} ${this.#paint.bold(plain(approval.node_id))}`;
      const line = `${number}  ${shortId(approval.execution_id)}  ${place}  ${plain(approval.message)}`;
      this.#screen.print(`${this.#paint.yellow('◆')} ${line}`);
    }
  }

  #list(): void {
    const entries = [...this.#entries.values()];
    const style = { paint: this.#paint, nowMs: Date.now(), columns: this.#columns() };
    if (entries.length === 0) this.#note('no pending approvals');
    else for (const line of pendingText(entries, style).split('\n')) this.#screen.print(line);
  }

  #note(text: string): void {
    this.#screen.print(this.#paint.dim(text));
  }
}

function keyOf({ execution_id, sequence }: ApprovalItem): string {
  return `${execution_id} ${sequence}`;
}
