import { Option } from 'clipanion';
import type { RegisteredWorkflow, StartExecution } from '../../client/index.ts';
import type { ProjectFile } from '../../project/project-file.ts';
import { PrintingCommand, type Usage } from '../base/command.ts';
import { explainApiError } from '../connection/connect.ts';
import { type Interrupt, listenForInterrupt } from '../context.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { followExecution, UNATTENDED_TIMEOUT_S } from '../following/follow-execution.ts';
import { type Host, openHost } from '../following/host.ts';
import { exitCodeOf, exitCodeOfFollowExit, exitNote, reportJson, reportText } from '../following/run-report.ts';
import { rejectUnavailableWork, unavailableWork } from '../following/unavailable-work.ts';
import { choiceArgument, integerArgument, jsonArgument } from '../input/arguments.ts';
import { executionIdOf } from '../input/execution-id.ts';
import { type AuthoredUnit, isWorkflowFile, readValidWorkflow, selectUnit } from '../input/workflow-file.ts';
import { paintFor } from '../terminal/paint.ts';
import { shellWord } from '../terminal/text.ts';

const MAX_TIMEOUT_S = 2_000_000;

class RunCommand extends PrintingCommand {
  static override usage: Usage = {
    details: `
Runs on the server given by --runtime or JAMJET_URL, else on a server at http://localhost:7700, else embedded in this process, with the
database .jamjet/runtime.db, the functions that the file names in \`tools:\` and those of --tools.

Pending approvals are asked for at the terminal. Standard input from a pipe or a file answers them instead, a line for each: y or n with an
optional comment for an approval, JSON for an event. Without an answer, an embedded run ends with exit status 3 when it waits. Ctrl-C stops following; the execution continues, and the command prints how to follow it
again. The exit status is 0 only if the execution completes.`,
    examples: [
      ['Run a workflow file', `$0 run workflow.yaml --input '{"order_id": 7}'`],
      ['Run one of the workflows of a file', '$0 run workflows.yaml healthcheck'],
      ['Run a registered workflow, with input from a file', '$0 run refund-approval --input @input.json'],
      ['Print one JSON document after at most a minute', '$0 run workflow.yaml --json --timeout 60'],
      ['Start it on a server without following it', '$0 run refund-approval --no-follow --runtime http://localhost:7700'],
      ['Start it for later', '$0 run refund-approval --delay 2d --no-follow'],
      ['Continue a conversation', `$0 run chat.yaml --input '{"message": "And today?"}' --thread customer-42`],
      ['Run one execution at a time for an order', '$0 run ship.yaml --key order-42 --if-running return'],
      ['Resume an execution', '$0 run workflow.yaml --resume exec_0199…'],
      ['Answer its questions from a pipe', "printf 'y fine\\n' | $0 run workflow.yaml"],
    ],
  };

  target = Option.String({ name: 'workflow', required: false });
  unit = Option.String({ name: 'unit', required: false });
  input = Option.String('-i,--input', { description: 'The input: JSON text, @file or - (default {}).' });
  inputFile = Option.String('--input-file', { description: 'File with the input, the same as --input @FILE.' });
  subjectTokenEnv = Option.String('--subject-token-env', {
    description: 'Variable with the token of the person on whose behalf the execution acts, for workflows with oauth.',
  });
  follow = Option.Boolean('--follow,--wait', true, {
    description: 'Follow the execution (default); --no-follow prints its id and exits.',
  });
  stream = Option.Boolean('--stream', false, { description: 'The same as --follow.' });
  resume = Option.String('--resume', {
    description: 'Follow this execution instead of starting one; an embedded one is resumed.',
  });
  thread = Option.String('--thread', {
    description: 'Thread that models and agents without a thread of their own continue.',
  });
  key = Option.String('--key', {
    description: 'One live execution of the workflow has a key at most; fails while one has it.',
  });
  ifRunning = Option.String('--if-running', {
    description: 'return: follow an execution that has the key instead of failing.',
  });
  startAt = Option.String('--start-at', {
    description: 'Start it at this time, such as 2026-12-24T18:00:00Z; it is pending until then.',
  });
  delay = Option.String('--delay', { description: 'Start it after this time, such as 90s, 1.5h or 2d.' });
  timeout = Option.String('--timeout', {
    description: `Stop following after this time (default: ${UNATTENDED_TIMEOUT_S} without a terminal, else never).`,
  });
  output = Option.String('--output', { description: 'text (the default) or json, the same as --json.' });
  runtime = Option.String('-r,--runtime', { description: 'URL of the server to run on.' });
  embedded = Option.Boolean('--embedded', false, { description: 'Run in this process, even if a server is running.' });
  db = Option.String('--db', { description: 'Database of an embedded run (default DATABASE_URL, else .jamjet/runtime.db).' });
  tools = Option.String('--tools', { description: 'Module whose exported functions are tools of an embedded run.' });
  script = Option.String('--script', {
    description: 'File with answers for every model of an embedded run, in the place of providers.',
  });
  workflowVersion = Option.String('--workflow-version', {
    description: 'Version of the registered workflow (default: the latest).',
  });

  async execute(): Promise<number> {
    if (this.output !== undefined && choiceArgument('--output', this.output, ['text', 'json']) === 'json') this.json = true;
    if (this.target === undefined && this.resume === undefined) {
      throw usageFailure('name a workflow file or a registered workflow to run', 'jamjet run --help shows examples.');
    }
    if (this.input !== undefined && this.inputFile !== undefined) throw usageFailure('give --input or --input-file, not both');
    if (this.stream && !this.follow) throw usageFailure('give --stream or --no-follow (--no-wait), not both');
    const given = this.inputFile === undefined ? this.input : `@${this.inputFile}`;
    if (this.resume !== undefined && given !== undefined)
      throw usageFailure('--input starts a new execution and cannot be combined with --resume');
    const forNew = { '--start-at': this.startAt, '--delay': this.delay, '--thread': this.thread, '--key': this.key };
    const flag = Object.entries(forNew).find(([, value]) => value !== undefined)?.[0];
    if (this.resume !== undefined && flag !== undefined)
      throw usageFailure(`${flag} is for a new execution and cannot be combined with --resume`);
    const ifRunning = this.#ifRunning();
    const subjectToken = this.#subjectToken();
    const file = this.target !== undefined && isWorkflowFile(this.target, this.context.cwd) ? this.target : null;
    // A file states its version, and an execution is pinned to one.
    if (this.workflowVersion !== undefined && (file !== null || this.resume !== undefined))
      throw usageFailure('--workflow-version requires a registered workflow');
    const timeoutMs =
      this.timeout === undefined ? null : 1000 * integerArgument('--timeout', this.timeout, { min: 1, max: MAX_TIMEOUT_S });
    const input =
      given === undefined
        ? undefined
        : await jsonArgument(this.inputFile === undefined ? '--input' : '--input-file', given, this.context);
    if (this.unit !== undefined && file === null)
      throw usageFailure(
        `unexpected argument ${JSON.stringify(this.unit)}`,
        'A second word selects a workflow of a file that contains several.',
      );
    const authored = file === null ? null : await readValidWorkflow(file, this.context, { warnings: true });
    const unit = file === null || authored === null ? null : selectUnit(file, authored, this.unit);

    const interrupt = listenForInterrupt(this.context.signals);
    try {
      const host = await openHost(this.context, {
        runtime: this.runtime,
        embedded: this.embedded,
        db: this.db,
        tools: this.tools,
        script: this.script,
        authored,
        resume: this.resume ?? null,
      });
      for (const remark of host.startupNotes) this.note(remark);
      try {
        const id =
          this.resume === undefined
            ? await this.#start(host, authored, unit, {
                ...(input === undefined ? {} : { input }),
                ...(this.thread === undefined ? {} : { thread: this.thread }),
                ...(this.key === undefined ? {} : { key: this.key }),
                ...(ifRunning === undefined ? {} : { if_running: ifRunning }),
                ...(this.startAt === undefined ? {} : { start_at: this.startAt }),
                ...(this.delay === undefined ? {} : { delay: this.delay }),
                ...(subjectToken === undefined ? {} : { subject_token: subjectToken }),
              })
            : await executionIdOf(host.client, this.resume);
        return this.follow ? await this.#follow(host, id, timeoutMs, interrupt) : this.#printId(host, id);
      } catch (error) {
        throw explainApiError(error, host);
      } finally {
        await host.close();
      }
    } finally {
      interrupt.stopListening();
    }
  }

  /** Registers all workflows of the file, because one may start another. */
  async #start(
    { client, functions }: Host,
    authored: ProjectFile | null,
    unit: AuthoredUnit | null,
    how: Omit<StartExecution, 'workflow_id' | 'workflow_version'>,
  ): Promise<string> {
    let registered: RegisteredWorkflow | null = null;
    for (const one of authored?.workflows ?? []) {
      const answer = await client.registerWorkflow(one.document);
      if (one === unit) registered = answer;
    }
    const id = registered?.workflow_id ?? this.target ?? '';
    const version = registered?.version ?? this.workflowVersion;
    if (functions !== null) rejectUnavailableWork(unavailableWork((await client.workflow(id, version)).ir, functions));
    const { execution_id } = await client.start({
      workflow_id: id,
      ...(version === undefined ? {} : { workflow_version: version }),
      ...how,
    });
    return execution_id;
  }

  #ifRunning(): 'return' | undefined {
    const { ifRunning, key } = this;
    if (ifRunning === undefined) return undefined;
    if (ifRunning !== 'return') throw usageFailure(`--if-running "${ifRunning}" is not return`);
    if (key === undefined) throw usageFailure('--if-running needs --key');
    return ifRunning;
  }

  /** From a variable, because other users of the machine see the arguments of a command. */
  #subjectToken(): string | undefined {
    const name = this.subjectTokenEnv;
    if (name === undefined) return undefined;
    if (this.resume !== undefined)
      throw usageFailure('--subject-token-env starts a new execution and cannot be combined with --resume');
    const token = this.context.env[name]?.trim() ?? '';
    if (token === '') throw usageFailure(`--subject-token-env: the variable ${name} is not set`);
    return token;
  }

  async #follow(host: Host, id: string, timeoutMs: number | null, interrupt: Interrupt): Promise<number> {
    const outcome = await followExecution({ context: this.context, host, interrupt, quiet: this.json, timeoutMs }, id);
    const { exitReason, execution, events } = outcome;
    if (this.json) this.printJson(reportJson(execution, events));
    if (exitReason === null) {
      if (!this.json) this.print(reportText(execution, events, this.paint));
      return exitCodeOf(execution);
    }
    const stream = this.json ? this.context.stderr : this.context.stdout;
    stream.write(
      `${exitNote(outcome, host, this.#resumeCommand(host, outcome.execution.execution_id), paintFor(stream, this.context.env))}\n`,
    );
    return exitCodeOfFollowExit(exitReason);
  }

  #printId(host: Host, id: string): number {
    if (this.json) this.printJson({ execution_id: id });
    else {
      this.print(id);
      this.note(`Follow it with: ${this.#resumeCommand(host, id)}`);
    }
    return EXIT.ok;
  }

  /** The command line that resumes the execution. An embedded one needs the file again, because it names the functions. */
  #resumeCommand(host: Host, id: string): string {
    const words = ['jamjet', 'run'];
    if (host.embedded) {
      if (this.target !== undefined) words.push(this.target);
      if (this.unit !== undefined) words.push(this.unit);
      if (this.tools !== undefined) words.push('--tools', this.tools);
      if (this.script !== undefined) words.push('--script', this.script);
      if (this.embedded) words.push('--embedded');
      if (this.db !== undefined) words.push('--db', this.db);
    } else if (this.runtime !== undefined) words.push('--runtime', this.runtime);
    return [...words, '--resume', id].map(shellWord).join(' ');
  }
}

export { RunCommand as command };
