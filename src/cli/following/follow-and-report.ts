import { type Context, listenForInterrupt } from '../context.ts';
import { paintFor } from '../terminal/paint.ts';
import { shellWord } from '../terminal/text.ts';
import { followExecution } from './follow-execution.ts';
import { openHost } from './host.ts';
import { exitCodeOf, exitCodeOfFollowExit, exitNote, reportJson, reportText } from './run-report.ts';

/** Follows an execution on a server until it ends and reports like `run`; resolves to the exit code. */
export async function followAndReport(
  context: Context,
  options: { readonly runtime: string | undefined; readonly json: boolean },
  id: string,
): Promise<number> {
  const { runtime, json } = options;
  const interrupt = listenForInterrupt(context.signals);
  const paint = paintFor(context.stdout, context.env);
  const print = (text: string): boolean => context.stdout.write(`${text}\n`);
  try {
    const host = await openHost(context, {
      runtime,
      embedded: false,
      db: undefined,
      tools: undefined,
      script: undefined,
      authored: null,
      resume: null,
    });
    try {
      const session = { context, host, interrupt, quiet: json, timeoutMs: null };
      const outcome = await followExecution(session, id);
      const { exitReason, execution, events } = outcome;
      if (json) print(JSON.stringify(reportJson(execution, events), null, 2));
      else if (exitReason === null) print(reportText(execution, events, paint));
      if (exitReason === null) return exitCodeOf(execution);
      const stream = json ? context.stderr : context.stdout;
      const words = [
        'jamjet',
        'run',
        ...(runtime === undefined ? [] : ['--runtime', runtime]),
        '--resume',
        execution.execution_id,
      ];
      const resumeCommand = words.map(shellWord).join(' ');
      stream.write(`${exitNote(outcome, host, resumeCommand, paintFor(stream, context.env))}\n`);
      return exitCodeOfFollowExit(exitReason);
    } finally {
      await host.close();
    }
  } finally {
    interrupt.stopListening();
  }
}
