import { Option } from 'clipanion';
import type { JamjetClient } from '../../client/index.ts';
import { duration } from '../../views/time.ts';
import { JamjetCommand, type Usage } from '../base/command.ts';
import { connect, DEFAULT_URL, explainApiError } from '../connection/connect.ts';
import { listenForInterrupt } from '../context.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { paintStatus } from '../terminal/status.ts';
import { plain } from '../terminal/text.ts';

class WatchCommand extends JamjetCommand {
  static override usage: Usage = {
    details: `
The workflow as an outline, with the state of every node as it changes, what has just happened, and what waits for approval.

Keys: ↑↓ (or j, k) select a node, Enter shows its attempts, output and definition; a approves and r rejects, with a comment; e sends an
event; p pauses and u resumes the execution; c cancels it; q leaves, and changes nothing.

It wants a terminal. Elsewhere: jamjet events ID --follow. Exits with 0 when left or completed, 1 when it has ended in another way.`,
    examples: [
      ['Watch a run', '$0 watch exec_0199…'],
      ['… on another machine', '$0 watch exec_0199… --runtime https://jamjet.example.com'],
    ],
  };

  id = Option.String({ name: 'id' });
  runtime = Option.String('-r,--runtime', { description: `The runtime to talk to (default: JAMJET_URL, else ${DEFAULT_URL}).` });

  async execute(): Promise<number> {
    const { stdin, stdout } = this.context;
    if (stdout.isTTY !== true || stdin.isTTY !== true)
      throw usageFailure('watch wants a terminal', `Without one, follow its events: jamjet events ${this.id} --follow`);
    const connection = await connect(this.runtime, this.context);
    try {
      return await this.#watch(connection.client);
    } catch (error) {
      throw explainApiError(error, connection);
    }
  }

  async #watch(client: JamjetClient): Promise<number> {
    const execution = await client.execution(this.id);
    const { ir, revision } = await client.workflow(execution.workflow_id, execution.workflow_version);
    const [{ LiveOutline }, { LiveModel }, { Viewer }] = await Promise.all([
      import('../../views/outline.ts'),
      import('../../views/live-model.ts'),
      import('../live/viewer.ts'),
    ]);
    const model = new LiveModel(ir, new LiveOutline(ir));
    const watched = {
      id: execution.execution_id,
      workflow: execution.workflow_id,
      version: execution.workflow_version,
      startedAtMs: Date.parse(execution.created_at),
    };
    const interrupt = listenForInterrupt(this.context.signals);
    try {
      const exit = await new Viewer({ client, context: this.context, execution: watched, model, interrupt }).run();
      const endAtMs = model.over ? (model.statuses.atMs ?? watched.startedAtMs) : Date.now();
      this.#summary(watched.id, model, endAtMs - watched.startedAtMs);
      if (revision !== execution.revision)
        this.warn('this version was registered again since it started: the outline was that of the newer one');
      if (exit === 'interrupted') return EXIT.interrupted;
      return model.over && model.status !== 'completed' ? EXIT.failed : EXIT.ok;
    } finally {
      interrupt.stopListening();
    }
  }

  /** What stays on the screen. */
  #summary(
    id: string,
    { status, over, error }: { readonly status: string; readonly over: boolean; readonly error: string },
    tookMs: number,
  ): void {
    const { paint } = this;
    const mark = !over ? paint.yellow('◆') : status === 'completed' ? paint.green('✓') : paint.red('✗');
    const time = over ? `in ${duration(tookMs)}` : `after ${duration(tookMs)}`;
    this.print(`${mark} ${id} ${over ? '' : 'is '}${paintStatus(status, paint)} ${time}`);
    if (error !== '') this.print(`  ${paint.red(plain(error))}`);
    this.print(paint.dim(over ? `  all about it: jamjet inspect ${id}` : `  watch it again: jamjet watch ${id}`));
  }
}

export { WatchCommand as command };
