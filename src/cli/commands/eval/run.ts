import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Option } from 'clipanion';
import type { CheckedFile } from '../../../authoring/check-object.ts';
import type { EvalRow } from '../../../evaluation/dataset.ts';
import type { EvalResult, EvalTarget, Scoring } from '../../../evaluation/run.ts';
import { PrintingCommand, type Usage } from '../../base/command.ts';
import { explainApiError } from '../../connection/connect.ts';
import { type Interrupt, listenForInterrupt } from '../../context.ts';
import { EXIT, Failure, usageFailure } from '../../failure.ts';
import { type Host, openHost } from '../../following/host.ts';
import { rejectUnavailableWork, unavailableWork } from '../../following/unavailable-work.ts';
import { amountArgument, fileProblem, integerArgument, readText } from '../../input/arguments.ts';
import { settings } from '../../input/settings.ts';
import { isWorkflowFile, readValidWorkflow, selectUnit } from '../../input/workflow-file.ts';
import { paintFor } from '../../terminal/paint.ts';
import { count } from '../../terminal/text.ts';
import { progressLine, resultLine, resultsText } from '../../texts/eval.ts';
import { ApiTarget } from './target.ts';

const DEFAULT_JUDGE = 'claude-haiku-4-5';

class EvalRunCommand extends PrintingCommand {
  static override usage: Usage = {
    details: `
Starts an execution for each row of the data set and scores its final state, which checks know as \`output\`. Rows are {input, expected?, id?,
expected_trajectory?}: JSON Lines, a JSON or YAML list, or CSV. The row's \`expected\` and \`input\` can be read by checks; a judge is told what is
expected.

Runs where \`jamjet run\` would: on the server of --runtime or JAMJET_URL, else on a server at http://localhost:7700, else embedded in this
process. The model that judges is asked from this process. The exit status is 1 if less than --fail-below percent of the rows pass.`,
    examples: [
      [
        'Let a model judge',
        '$0 eval run qa.jsonl -w workflow.yaml --rubric "Is the answer correct and complete?" --model gpt-4o',
      ],
      [
        'Check the outputs, in CI',
        `$0 eval run qa.jsonl -w workflow.yaml -a "'sources' in output" --fail-below 80 -o results.json`,
      ],
      ['On a server', '$0 eval run qa.csv -w support --latency-ms 5000 --cost-usd 0.05 --runtime https://jamjet.example'],
    ],
  };

  data = Option.String({ name: 'data' });
  unit = Option.String({ name: 'unit', required: false });
  workflow = Option.String('-w,--workflow', {
    required: true,
    description: 'A workflow file, or the id of a registered workflow.',
  });
  rubric = Option.String('--rubric', { description: 'What a model judges, from 1 to 5.' });
  model = Option.String('--model', DEFAULT_JUDGE, { description: `The model that judges (default ${DEFAULT_JUDGE}).` });
  minScore = Option.String('--min-score', '3', { description: 'The lowest score of the judge that passes (default 3).' });
  assertions = Option.Array('-a,--assert', [], { description: 'An expression that must hold; repeat it for several.' });
  latencyMs = Option.String('--latency-ms', { description: 'Milliseconds that an execution may take.' });
  costUsd = Option.String('--cost-usd', { description: 'US dollars that an execution may cost.' });
  concurrency = Option.String('-c,--concurrency', '4', { description: 'Executions at the same time (default 4).' });
  failBelow = Option.String('--fail-below', { description: 'Exit with 1 if less than this percentage of the rows pass.' });
  output = Option.String('-o,--output', { description: 'Write the results to this file as JSON.' });
  timeout = Option.String('--timeout', '120', { description: 'Seconds that an execution may take (default 120).' });
  runtime = Option.String('-r,--runtime,--url', { description: 'URL of the server to run on.' });
  embedded = Option.Boolean('--embedded', false, { description: 'Run in this process, even if a server is running.' });
  db = Option.String('--db', { description: 'Database of an embedded run (default DATABASE_URL, else .jamjet/runtime.db).' });
  tools = Option.String('--tools', { description: 'Module whose exported functions are tools of an embedded run.' });
  script = Option.String('--script', {
    description: 'File with answers for every model, the judge included, in the place of providers.',
  });

  async execute(): Promise<number> {
    const concurrency = integerArgument('--concurrency', this.concurrency, { min: 1, max: 256 });
    const timeoutMs = 1000 * integerArgument('--timeout', this.timeout, { min: 1, max: 86_400 });
    const failBelow = this.failBelow === undefined ? null : percentage('--fail-below', this.failBelow);
    const rows = await this.#rows();
    const scoring = await this.#scoring();
    const isFile = isWorkflowFile(this.workflow, this.context.cwd);
    const authored = isFile ? await readValidWorkflow(this.workflow, this.context, { warnings: true }) : null;
    const unit = authored === null ? null : selectUnit(this.workflow, authored, this.unit);
    if (!hasScorers(scoring) && !rows.some(({ expectedTrajectory }) => expectedTrajectory !== undefined))
      this.warn('no scorers: a row passes when its execution completes. Add --rubric, --assert, --latency-ms or --cost-usd.');

    const interrupt = listenForInterrupt(this.context.signals);
    try {
      const host = await openHost(this.context, {
        runtime: this.runtime,
        embedded: this.embedded,
        db: this.db,
        tools: this.tools,
        script: this.script,
        authored,
        resume: null,
      });
      try {
        for (const remark of host.startupNotes) this.note(remark);
        const started = await this.#register(host, authored, unit?.document ?? null);
        if (host.functions !== null) {
          const { ir } = await host.client.workflow(started.workflowId, started.version);
          rejectUnavailableWork(unavailableWork(ir, host.functions));
        }
        const target = new ApiTarget(host.client, { ...started, timeoutMs });
        const results = await this.#run(rows, target, scoring, concurrency, interrupt);
        return await this.#report(results, failBelow);
      } catch (error) {
        if (interrupt.signal.aborted) return EXIT.interrupted;
        throw explainApiError(error, host);
      } finally {
        await host.close();
      }
    } finally {
      interrupt.stopListening();
    }
  }

  async #rows(): Promise<readonly EvalRow[]> {
    const path = resolve(this.context.cwd, this.data);
    const text = await readText(path, this.data);
    const { BadDataset, readDataset } = await import('../../../evaluation/dataset.ts');
    try {
      return await readDataset(text, path);
    } catch (error) {
      if (!(error instanceof BadDataset)) throw error;
      throw new Failure(`${this.data}: ${error.message}`, {
        exitCode: EXIT.usage,
        hint: 'A row is {"input": {…}, "expected": …}; .jsonl has one a line, .json and .yaml a list, .csv a header with column names.',
        cause: error,
      });
    }
  }

  async #scoring(): Promise<Scoring> {
    const { assertionProblem, judgeBy } = await import('../../../evaluation/scoring.ts');
    for (const check of this.assertions) {
      const problem = assertionProblem(check);
      if (problem !== null) throw usageFailure(`--assert ${JSON.stringify(check)} ${problem}`);
    }
    return {
      assertions: this.assertions,
      latencyMs: this.latencyMs === undefined ? null : integerArgument('--latency-ms', this.latencyMs, { min: 0, max: 1e12 }),
      costUsd: this.costUsd === undefined ? null : amountArgument('--cost-usd', this.costUsd),
      judge: this.rubric === undefined ? null : await this.#judge(this.rubric, judgeBy),
    };
  }

  async #judge(rubric: string, judgeBy: typeof import('../../../evaluation/scoring.ts').judgeBy): Promise<Scoring['judge']> {
    const minScore = amountArgument('--min-score', this.minScore);
    if (minScore > 5) throw usageFailure('--min-score is at most 5: scores go from 1 to 5');
    const { models: configured, modelScript, operatorFile } = settings(this.context, { script: this.script });
    const operator = await (await import('../../../server/operator-file.ts')).readOperatorFile(operatorFile);
    const models = { ...configured, names: { ...operator.models, ...configured.names } };
    const script =
      modelScript === null
        ? {}
        : { script: await (await import('../../../server/model-script.ts')).readModelScript(modelScript) };
    try {
      return judgeBy({ model: this.model, rubric, minScore, settings: { ...models, ...script } });
    } catch (error) {
      throw new Failure(error instanceof Error ? error.message : String(error), {
        hint: 'Name the model that judges with --model; docs/models.md lists names and keys.',
        cause: error,
      });
    }
  }

  /** The workflow that is started; all those of the file are registered, because one may start another. */
  async #register(
    { client }: Host,
    authored: CheckedFile | null,
    document: CheckedFile['workflows'][number]['document'] | null,
  ): Promise<{ readonly workflowId: string; readonly version: string }> {
    if (authored === null) {
      const { workflow_id, version } = await client.workflow(this.workflow);
      return { workflowId: workflow_id, version };
    }
    let started: { readonly workflowId: string; readonly version: string } | null = null;
    for (const one of authored.workflows) {
      const { workflow_id: workflowId, version } = await client.registerWorkflow(one.document);
      if (one.document === document) started = { workflowId, version };
    }
    if (started === null) throw new Failure(`${this.workflow} has no workflow to run`);
    return started;
  }

  async #run(
    rows: readonly EvalRow[],
    target: EvalTarget,
    scoring: Scoring,
    concurrency: number,
    { signal }: Interrupt,
  ): Promise<readonly EvalResult[]> {
    const { runRows } = await import('../../../evaluation/run.ts');
    const { stderr, env } = this.context;
    const paint = paintFor(stderr, env);
    const isShown = stderr.isTTY === true && !this.json;
    const seen: EvalResult[] = [];
    if (!this.json) this.note(`running ${count(rows.length, 'row')} of ${this.data} with ${this.workflow}`);
    const clear = isShown ? '\r\u001b[K' : '';
    const onResult = (result: EvalResult): void => {
      seen.push(result);
      if (this.json) return;
      if (!result.passed || !isShown) stderr.write(`${clear}${resultLine(result, paint)}\n`);
      if (isShown) stderr.write(`${clear}${progressLine(seen, rows.length, paint)}`);
    };
    try {
      return await runRows(rows, { target, scoring, concurrency, signal, onResult });
    } finally {
      if (isShown) stderr.write(clear);
    }
  }

  async #report(results: readonly EvalResult[], failBelow: number | null): Promise<number> {
    if (this.output !== undefined) {
      const path = resolve(this.context.cwd, this.output);
      await writeFile(path, `${JSON.stringify(results, null, 2)}\n`).catch((cause: unknown) => {
        throw new Failure(`cannot write ${this.output}: ${fileProblem(cause)}`, { cause });
      });
    }
    if (this.json) this.printJson(results);
    else this.print(resultsText(results, this.paint));
    if (this.output !== undefined) this.note(`results written to ${this.output}`);
    const { passRate } = await import('../../../evaluation/run.ts');
    const rate = passRate(results);
    if (failBelow === null || rate >= failBelow) return EXIT.ok;
    if (!this.json) this.print(this.paint.red(`✗ ${rate.toFixed(1)}% of the rows pass, ${failBelow}% are required`));
    return EXIT.failed;
  }
}

function hasScorers({ assertions, latencyMs, costUsd, judge }: Scoring): boolean {
  return assertions.length > 0 || latencyMs !== null || costUsd !== null || judge !== null;
}

function percentage(option: string, text: string): number {
  const value = amountArgument(option, text);
  if (value > 100) throw usageFailure(`${option} ${text} is not a percentage from 0 to 100`);
  return value;
}

export { EvalRunCommand as command };
