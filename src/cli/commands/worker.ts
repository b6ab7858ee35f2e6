import { Option } from 'clipanion';
import { PrintingCommand, type Usage } from '../base/command.ts';
import { connect, DEFAULT_URL, explainApiError } from '../connection/connect.ts';
import { toolsOfModule } from '../connection/serve.ts';
import { listenForInterrupt } from '../context.ts';
import { EXIT } from '../failure.ts';
import { integerArgument } from '../input/arguments.ts';
import { count, plain } from '../terminal/text.ts';

class WorkerCommand extends PrintingCommand {
  static override usage: Usage = {
    details: `
Runs an external worker: it claims the items of the functions that a module exports, and of the workflows that it exports, calls them, and
reports what they return. That includes durable functions and state machines, whose operations are committed on the server as they happen; the
workflows themselves are registered by "jamjet deploy". It goes on when the server restarts, until Ctrl-C or SIGTERM; then it lets its functions
finish. Programs use createWorker of the library.`,
    examples: [
      ['Serve the functions of a module', '$0 worker ./tools.mjs'],
      ['Serve the durable functions that a module exports', '$0 worker ./onboarding.ts'],
      ['Eight at a time, for another server', '$0 worker ./tools.mjs --concurrency 8 --runtime https://jamjet.example.com'],
    ],
  };

  module = Option.String({ name: 'module' });
  queues = Option.Array('--queue', { description: 'A queue to claim from; may be repeated (default: tool).' });
  concurrency = Option.String('--concurrency', '10', { description: 'Items that are worked on at the same time (default 10).' });
  workerId = Option.String('--id', { description: 'Name of the worker (default: a random one).' });
  grace = Option.String('--grace', '30', {
    description: 'Seconds that functions may take to finish when it stops (default 30).',
  });
  runtime = Option.String('-r,--runtime', { description: `URL of the server (default: JAMJET_URL, else ${DEFAULT_URL}).` });

  async execute(): Promise<number> {
    const concurrency = integerArgument('--concurrency', this.concurrency, { min: 1, max: 10_000 });
    const graceSecs = integerArgument('--grace', this.grace, { min: 0, max: 86_400 });
    const tools = await toolsOfModule(this.context, this.module);
    const connection = await connect(this.runtime, this.context);
    const interrupt = listenForInterrupt(this.context.signals);
    const { ProcessGuard } = await import('../../server/process-guard.ts');
    const { createWorker } = await import('../../worker/index.ts');
    const worker = createWorker({
      url: connection.url,
      token: connection.token,
      tools,
      concurrency,
      stopTimeoutMs: graceSecs * 1000,
      ...(this.queues === undefined ? {} : { queues: this.queues }),
      ...(this.workerId === undefined ? {} : { id: this.workerId }),
      onLog: ({ level, message, fields }) => this.#log(level, message, fields),
    });
    worker.stopped.catch(() => undefined);
    const stop = (): void => void worker.stop().catch(() => undefined);
    interrupt.signal.addEventListener('abort', stop, { once: true });
    let exitCode: number = EXIT.ok;
    const guard = new ProcessGuard({
      events: this.context.signals,
      hasCode: true,
      log: (level, message, fields) => this.#log(level, message, fields),
      onFatal: () => {
        exitCode = EXIT.failed;
        stop();
      },
    });
    try {
      await worker.connected;
      const names = Object.keys(tools);
      const serves = `${plain(worker.id)} serves ${count(names.length, 'function')} on ${connection.url}: ${plain(names.join(', '))}`;
      if (this.json) this.note(serves);
      else this.print(serves);
      await worker.stopped;
      return exitCode;
    } catch (error) {
      throw explainApiError(error, connection);
    } finally {
      guard.close();
      interrupt.stopListening();
    }
  }

  /** A line for people, or with --json one of JSON. */
  #log(
    level: string,
    message: string,
    { err, worker: _worker, tenant: _tenant, ...fields }: Readonly<Record<string, unknown>>,
  ): void {
    const reason = err instanceof Error ? err.message : undefined;
    if (this.json) {
      this.context.stdout.write(
        `${JSON.stringify({ level, time: new Date().toISOString(), message, ...fields, ...(reason === undefined ? {} : { error: reason }) })}\n`,
      );
      return;
    }
    if (message === 'worker started' || (level === 'debug' && message !== 'attempt completed')) return;
    const { execution, node, attempt, duration_ms, ...rest } = fields;
    const where =
      execution === undefined ? [] : [`${execution} ${node}`, ...(attempt === 0 ? [] : [`attempt ${Number(attempt) + 1}`])];
    const json = JSON.stringify(rest);
    const more = json === '{}' ? [] : [json];
    const took = typeof duration_ms === 'number' ? [`${duration_ms} ms`] : [];
    const text = [...where, message + (reason === undefined ? '' : `: ${reason}`), ...took, ...more].join('  ');
    const { paint } = this;
    const mark = level === 'error' || level === 'fatal' ? paint.red('✗') : level === 'warn' ? paint.yellow('!') : paint.dim('·');
    this.context.stdout.write(`${mark} ${plain(text)}\n`);
  }
}

export { WorkerCommand as command };
