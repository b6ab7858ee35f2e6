import { Option } from 'clipanion';
import type { Execution, JamjetClient } from '../../client/index.ts';
import { duration } from '../../views/time.ts';
import { JamjetCommand, type Usage } from '../base/command.ts';
import { connect, DEFAULT_URL, explainApiError } from '../connection/connect.ts';
import { listenForInterrupt } from '../context.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { executionIdOf } from '../input/execution-id.ts';
import { paintStatus } from '../terminal/status.ts';
import { plain } from '../terminal/text.ts';

class WatchCommand extends JamjetCommand {
  static override usage: Usage = {
    details: `
Shows the workflow as an outline with the live state of every node, the latest events, and pending approvals.

Keys: ↑↓ (or j, k) select a node; Enter shows its attempts, output and definition; a approves and r rejects, with a comment; e sends an
event; p pauses and u resumes the execution; c cancels it; q quits without changing anything.

An execution that another one continues (continue_as_new) is followed to the last one.

Requires a terminal; without one, use jamjet events ID --follow. Exits with 0 after q or if the execution completes, and with 1 if it ends
otherwise.`,
    examples: [
      ['Watch an execution', '$0 watch exec_0199…'],
      ['Watch an execution on another server', '$0 watch exec_0199… --runtime https://jamjet.example.com'],
    ],
  };

  id = Option.String({ name: 'id' });
  runtime = Option.String('-r,--runtime', { description: `URL of the server (default: JAMJET_URL, else ${DEFAULT_URL}).` });

  async execute(): Promise<number> {
    const { stdin, stdout } = this.context;
    if (stdout.isTTY !== true || stdin.isTTY !== true)
      throw usageFailure('watch requires a terminal', `Without one, follow the events: jamjet events ${this.id} --follow`);
    const connection = await connect(this.runtime, this.context);
    try {
      return await this.#watch(connection.client);
    } catch (error) {
      throw explainApiError(error, connection);
    }
  }

  /** Watches the execution, or the last one that continues it, and those that continue that one. */
  async #watch(client: JamjetClient): Promise<number> {
    for (let id = await executionIdOf(client, this.id); ; ) {
      const execution = await client.execution(id);
      const exit = execution.current_execution_id === undefined ? await this.#watchOne(client, execution) : null;
      if (exit !== null) return exit;
      id = (await client.execution(id)).current_execution_id ?? id;
    }
  }

  /** Null = another execution continues this one. */
  async #watchOne(client: JamjetClient, execution: Execution): Promise<number | null> {
    const { ir, revision } = await client.workflow(execution.workflow_id, execution.workflow_version);
    const [{ LiveModel }, { Viewer }] = await Promise.all([import('../../views/live-model.ts'), import('../live/viewer.ts')]);
    const model = new LiveModel(ir);
    const watched = {
      id: execution.execution_id,
      workflow: execution.workflow_id,
      version: execution.workflow_version,
      startedAtMs: Date.parse(execution.created_at),
    };
    const interrupt = listenForInterrupt(this.context.signals);
    try {
      const exit = await new Viewer({ client, context: this.context, execution: watched, model, interrupt }).run();
      if (exit === 'continued') return null;
      const endAtMs = model.ended ? (model.overlay.atMs ?? watched.startedAtMs) : Date.now();
      this.#summary(watched.id, model, endAtMs - watched.startedAtMs);
      if (revision !== execution.revision)
        this.warn('the workflow version was registered again after the start: the outline shows the newer revision');
      if (exit === 'interrupted') return EXIT.interrupted;
      return model.ended && model.status !== 'completed' ? EXIT.failed : EXIT.ok;
    } finally {
      interrupt.stopListening();
    }
  }

  /** Printed after the screen is closed. */
  #summary(
    id: string,
    { status, ended, error }: { readonly status: string; readonly ended: boolean; readonly error: string },
    durationMs: number,
  ): void {
    const { paint } = this;
    const mark = !ended ? paint.yellow('◆') : status === 'completed' ? paint.green('✓') : paint.red('✗');
    const time = ended ? `in ${duration(durationMs)}` : `after ${duration(durationMs)}`;
    this.print(`${mark} ${id} ${ended ? '' : 'is '}${paintStatus(status, paint)} ${time}`);
    if (error !== '') this.print(`  ${paint.red(plain(error))}`);
    this.print(paint.dim(ended ? `  Details: jamjet inspect ${id}` : `  Watch it again: jamjet watch ${id}`));
  }
}

export { WatchCommand as command };
