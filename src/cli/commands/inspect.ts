import { Option } from 'clipanion';
import type { NodeItem } from '../../../machines/history/node-items.ts';
import { type NodeVisit, VISIT_STATUSES } from '../../../machines/history/node-visit.ts';
import type { JsonObject } from '../../../machines/json.ts';
import type { Execution, JamjetClient, NodeDetail } from '../../client/index.ts';
import { ago, duration } from '../../views/time.ts';
import { ClientCommand } from '../base/client-command.ts';
import type { Usage } from '../base/command.ts';
import { midStepNote, readLog } from '../connection/read-log.ts';
import { listenForInterrupt } from '../context.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { unservedNodes } from '../following/unserved-tools.ts';
import { choiceArgument, ITEMS, integerArgument, sequenceArgument } from '../input/arguments.ts';
import { isTerminal, paintStatus } from '../terminal/status.ts';
import { fields } from '../terminal/table.ts';
import { count, plain, shellWord } from '../terminal/text.ts';
import { type LogText, logText } from '../texts/log.ts';
import { itemLines, visitLines } from '../texts/node.ts';

class InspectCommand extends ClientCommand {
  static override usage: Usage = {
    details: `With --json, prints the execution as returned by the API, with its \`events\`. With --at, shows it after the last step that had ended by
that sequence (a step writes one or more events).

With --stately, shows the execution and its compiled machine live in the Stately inspector, until Ctrl-C. Open the printed address in a
browser: the page loads the inspector from stately.ai and feeds it the execution. Other programs that speak the protocol of
@statelyai/inspect can connect to the printed WebSocket. Every viewer receives the execution from its start.`,
    examples: [
      ['Show an execution', '$0 inspect exec_0199…'],
      ['Print only its state', '$0 inspect exec_0199… --state --json'],
      ['Show what a node was called with, gave back, and why it failed', '$0 inspect exec_0199… --node charge'],
      ['Show the items of a map that failed', '$0 inspect exec_0199… --node score --item-status failed'],
      ['Show it as it was at sequence 12', '$0 inspect exec_0199… --at 12'],
      ['Show it live in the Stately inspector', '$0 inspect exec_0199… --stately'],
      ['Serve one viewer and exit, for programs', '$0 inspect exec_0199… --stately --once --json'],
    ],
  };

  protected override readonly executionOptions: readonly string[] = ['id'];
  id = Option.String({ name: 'id' });
  events = Option.Boolean('--events', false, { description: 'Show only the timeline; with --json, the events.' });
  state = Option.Boolean('--state', false, { description: 'Show only the state.' });
  node = Option.String('-n,--node', {
    description: 'Show the visits to this node: what each attempt was given, gave back and used, with the stacks of errors.',
  });
  item = Option.String('--item', { description: 'With --node, of a map: show the attempts at this item of its list.' });
  itemStatus = Option.String('--item-status', {
    description: `With --node, of a map: show only items with this status: ${VISIT_STATUSES.join(', ')}.`,
  });
  at = Option.String('--at,--at-event', { description: 'Show the execution as it was at this event sequence.' });
  stately = Option.Boolean('--stately', false, { description: 'Show it live in the Stately inspector, until Ctrl-C.' });
  port = Option.String('-p,--port', { description: 'With --stately: the port to listen on (default: any free port).' });
  once = Option.Boolean('--once', false, {
    description: 'With --stately: exit when the execution has ended and a viewer has received all of it.',
  });

  protected override get readOnly(): boolean {
    return !this.stately;
  }

  protected async request(client: JamjetClient): Promise<number> {
    if (!this.stately && (this.port !== undefined || this.once)) throw usageFailure('--port and --once require --stately');
    if (this.stately && this.at !== undefined) throw usageFailure('give --stately or --at, not both');
    if ((this.events || this.state) && (this.stately || this.at !== undefined))
      throw usageFailure('--events and --state cannot be combined with --stately or --at');
    if (this.node !== undefined && (this.events || this.state || this.stately || this.at !== undefined))
      throw usageFailure('--node cannot be combined with --events, --state, --stately or --at');
    if (this.node === undefined && (this.item !== undefined || this.itemStatus !== undefined))
      throw usageFailure('--item and --item-status require --node');
    if (this.node !== undefined) return this.#showNode(client, this.node);
    if (this.stately) return this.#serveInspector(client);
    if (this.at !== undefined) return this.#showPast(client, sequenceArgument('--at', this.at));
    const execution = await client.execution(this.id);
    const events = await readLog(client, execution.execution_id);
    if (this.events || this.state) return this.#showPart(client, execution, events);
    if (this.json) {
      this.printJson({ ...execution, events });
      return EXIT.ok;
    }
    const { paint } = this;
    const nowMs = Date.now();
    const startMs = Date.parse(execution.created_at);
    const endMs = execution.completed_at === null ? nowMs : Date.parse(execution.completed_at);
    const entries: [string, string][] = [
      ['execution', execution.execution_id],
      ['workflow', `${plain(execution.workflow_id)} ${plain(execution.workflow_version)}`],
      ['status', paintStatus(execution.status, paint)],
      ['started', `${execution.created_at} ${paint.dim(`(${ago(startMs, nowMs)})`)}`],
      [
        isTerminal(execution.status) ? 'took' : 'so far',
        `${duration(endMs - startMs)}, ${count(execution.steps_executed, 'step')}, ${count(execution.sequence, 'event')}`,
      ],
    ];
    if (execution.start_at !== undefined)
      entries.push([execution.status === 'pending' ? 'begins' : 'start at', execution.start_at]);
    if (execution.held === true)
      entries.push(['suspended', execution.held_reason === undefined ? 'by an operator' : plain(execution.held_reason)]);
    if (execution.error !== undefined) entries.push(['error', paint.red(plain(execution.error))]);
    if (execution.parent_execution_id !== undefined) entries.push(['parent', execution.parent_execution_id]);
    const { segment_number: segment, previous_execution_id: previous, next_execution_id: next } = execution;
    const { first_execution_id: first, current_execution_id: current } = execution;
    if (previous !== undefined || next !== undefined) entries.push(['segment', String(segment)]);
    if (previous !== undefined) entries.push(['continues', previous]);
    if (first !== undefined && first !== previous) entries.push(['began as', first]);
    if (next !== undefined) entries.push(['continued as', next]);
    if (current !== undefined && current !== next) entries.push(['now', current]);
    if (execution.forked_from !== undefined) {
      const { execution_id: origin, sequence } = execution.forked_from;
      entries.push(['forked from', `${origin} at ${sequence}`]);
    }
    if (execution.key !== undefined) entries.push(['key', plain(execution.key)]);
    if (execution.thread !== undefined) entries.push(['thread', plain(execution.thread)]);
    for (const [name, value] of Object.entries(execution.labels)) entries.push([`label ${plain(name)}`, plain(value)]);
    this.print(fields(entries, paint));

    const { ir } = await client.workflow(execution.workflow_id, execution.workflow_version);
    const { lines, approvals, awaitedEvents } = await this.#logText(
      client,
      ir,
      events,
      isTerminal(execution.status) ? null : nowMs,
    );
    this.print(`\n${paint.bold('Timeline')}\n${lines.join('\n')}`);
    this.print(`\n${paint.bold('State')}\n${plain(JSON.stringify(execution.state, null, 2), { lines: true })}`);
    if (isTerminal(execution.status)) return EXIT.ok;
    const hint = (text: string): void => this.print(`\n${paint.yellow('◆')} ${text}`);
    if (execution.held === true) hint(`suspended: jamjet resume ${execution.execution_id}`);
    for (const { node } of approvals)
      hint(`${plain(node)} waits for approval: jamjet approve ${execution.execution_id} --node-id ${plain(shellWord(node))}`);
    for (const [node, key] of awaitedEvents)
      hint(`${plain(node)} waits for an event: jamjet event ${execution.execution_id} ${plain(shellWord(key))}`);
    return EXIT.ok;
  }

  async #showNode(client: JamjetClient, nodeId: string): Promise<number> {
    const node = await client.node(this.id, nodeId, {
      ...(this.item === undefined ? {} : { item: integerArgument('--item', this.item, ITEMS) }),
      ...(this.itemStatus === undefined ? {} : { status: choiceArgument('--item-status', this.itemStatus, VISIT_STATUSES) }),
    });
    if (this.json) {
      this.printJson(node);
      return EXIT.ok;
    }
    const { paint } = this;
    const { execution_id, kind, status, visits, visits_total, items = [], next_item = null } = node;
    const entries: [string, string][] = [
      ['node', `${plain(node.node_id)} ${paint.dim(plain(kind))}`],
      ['execution', execution_id],
      ['status', status === null ? paint.dim('not reached') : status],
    ];
    const waits = await this.#whyQueued(client, node);
    if (waits !== null) entries.push(['waits', paint.yellow(plain(waits))]);
    if (visits_total > visits.length) entries.push(['visits', `${visits_total}, of which the last ${visits.length} are shown`]);
    this.print(fields(entries, paint));
    const columns = Math.max(60, this.context.stdout.columns ?? 100);
    for (const visit of visits) this.print(`\n${visitLines(visit as NodeVisit, columns, paint).join('\n')}`);
    if (this.item === undefined && items.length > 0)
      this.print(`\n${itemLines(items as readonly NodeItem[], next_item, columns, paint).join('\n')}`);
    return EXIT.ok;
  }

  /** That no worker serves the tool for which the node waits; null if that is not so. */
  async #whyQueued(client: JamjetClient, { execution_id, node_id, visits }: NodeDetail): Promise<string | null> {
    const { status, queue } = visits.at(-1)?.attempts.at(-1) ?? {};
    if (status !== 'queued' || queue === undefined) return null;
    const { workflow_id, workflow_version } = await client.execution(execution_id);
    const { ir } = await client.workflow(workflow_id, workflow_version);
    return (await unservedNodes(client, ir, [{ node: node_id, queue }])).get(node_id) ?? null;
  }

  /** Prints the part that `--events` and `--state` select. */
  async #showPart(client: JamjetClient, execution: Execution, events: Awaited<ReturnType<typeof readLog>>): Promise<number> {
    const { state, status, workflow_id, workflow_version } = execution;
    if (this.json) {
      const both = this.events && this.state;
      this.printJson(both ? { state, events } : this.state ? state : events);
      return EXIT.ok;
    }
    if (this.events) {
      const { ir } = await client.workflow(workflow_id, workflow_version);
      const { lines } = await this.#logText(client, ir, events, isTerminal(status) ? null : Date.now());
      this.print(lines.join('\n'));
    }
    if (this.state) this.print(plain(JSON.stringify(state, null, 2), { lines: true }));
    return EXIT.ok;
  }

  /** Says of nodes that wait for a worker if none serves their tool. */
  async #logText(
    client: JamjetClient,
    ir: JsonObject,
    events: Awaited<ReturnType<typeof readLog>>,
    nowMs: number | null,
  ): Promise<LogText> {
    const text = logText(ir, events, nowMs, this.paint);
    const unserved = await unservedNodes(client, ir, text.active);
    return unserved.size === 0 ? text : logText(ir, events, nowMs, this.paint, unserved);
  }

  async #serveInspector(client: JamjetClient): Promise<number> {
    const port = this.port === undefined ? 0 : integerArgument('--port', this.port, { min: 0, max: 65_535 });
    const { execution_id, workflow_id, workflow_version, status } = await client.execution(this.id);
    const { InspectorSession } = await import('../stately/inspector-session.ts');
    const interrupt = listenForInterrupt(this.context.signals);
    const onListening = (at: number): void => {
      const [url, socket] = [`http://127.0.0.1:${at}`, `ws://127.0.0.1:${at}`];
      const { paint } = this;
      const entries: [string, string][] = [
        ['execution', execution_id],
        ['workflow', `${plain(workflow_id)} ${plain(workflow_version)}, ${paintStatus(status, paint)}`],
        ['open', `${paint.cyan(url)}  ${paint.dim('the Stately inspector, in a browser')}`],
        ['socket', `${socket}  ${paint.dim('for other viewers')}`],
      ];
      this.print(
        this.json ? JSON.stringify({ execution_id, url, socket }) : `${fields(entries, paint)}\n${paint.dim('Ctrl-C stops')}`,
      );
    };
    const observer = {
      onListening,
      onViewerCount: (viewers: number) => this.note(viewers === 0 ? 'no viewers' : count(viewers, 'viewer')),
      onEnded: (end: string) => this.note(`the execution has ended: ${end}; it can still be viewed`),
      onLost: (reason: string) => this.warn(`${reason}: reconnecting`),
      onRestored: () => this.note(`reconnected to ${client.url}`),
      onMissing: (child: string) => this.warn(`the child execution ${child} no longer exists`),
    };
    try {
      await new InspectorSession({
        client,
        executionId: execution_id,
        port,
        once: this.once,
        signal: interrupt.signal,
        observer,
      }).run();
      return EXIT.ok;
    } finally {
      interrupt.stopListening();
    }
  }

  /** Shows the execution at an earlier sequence. */
  async #showPast(client: JamjetClient, at: number): Promise<number> {
    const past = await client.history.state(this.id, at);
    if (past.sequence !== past.requested) this.note(midStepNote(past.requested, past.sequence));
    if (this.json) {
      this.printJson(past);
      return EXIT.ok;
    }
    const { paint } = this;
    const { workflow_id, workflow_version, sequence } = await client.execution(past.execution_id);
    const entries: [string, string][] = [
      ['execution', past.execution_id],
      ['workflow', `${plain(workflow_id)} ${plain(workflow_version)}`],
      ['status', `${paintStatus(past.status, paint)} ${paint.dim('then')}`],
      ['sequence', `${past.sequence} ${paint.dim(`of ${sequence}, on ${past.created_at}`)}`],
    ];
    this.print(fields(entries, paint));
    const { ir } = await client.workflow(workflow_id, workflow_version);
    const events = await readLog(client, past.execution_id, past.sequence);
    const { lines } = logText(ir, events, isTerminal(past.status) ? null : Date.parse(past.created_at), paint);
    this.print(`\n${paint.bold('Timeline')}\n${lines.join('\n')}`);
    this.print(`\n${paint.bold('State')}\n${plain(JSON.stringify(past.state, null, 2), { lines: true })}`);
    return EXIT.ok;
  }
}

export { InspectCommand as command };
