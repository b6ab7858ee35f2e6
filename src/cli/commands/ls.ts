import { Option } from 'clipanion';
import type { CallOptions, ExecutionItem, ExecutionList, ExecutionsQuery, JamjetClient } from '../../client/index.ts';
import { shortId } from '../../views/short-id.ts';
import { ago, duration } from '../../views/time.ts';
import type { Usage } from '../base/command.ts';
import { ListCommand } from '../base/list-command.ts';
import { EXIT, usageFailure } from '../failure.ts';
import { choiceArgument, integerArgument } from '../input/arguments.ts';
import { conditionsOf, FILTER } from '../input/filter.ts';
import { columnsOf } from '../terminal/dimensions.ts';
import { fitRows } from '../terminal/fit.ts';
import { paintStatus } from '../terminal/status.ts';
import { type Column, table } from '../terminal/table.ts';
import { cut, plain } from '../terminal/text.ts';
import { errorGroupsText } from '../texts/error-groups.ts';
import { statusCountsText } from '../texts/status-counts.ts';

const PAGE = 1_000;

/** The start of a page. */
type PageStart = Pick<ExecutionsQuery, 'cursor' | 'offset'>;

/** A terminal with fewer columns shows the ends of ids, which every command accepts. */
const COLUMNS_FOR_IDS = 120;

const COLUMNS: readonly Column[] = [
  { title: 'WORKFLOW' },
  { title: 'STATUS' },
  { title: 'STEPS', align: 'right' },
  { title: 'STARTED', align: 'right' },
  { title: 'TOOK', align: 'right' },
  { title: '' },
];

/** On a narrow terminal the error is cut first, then the workflow. */
const SHRINKABLE = [
  { at: 6, min: 16, optional: true },
  { at: 1, min: 8 },
] as const;

class LsCommand extends ListCommand<ExecutionList> {
  static override usage: Usage = {
    details:
      'Conditions are combined with AND. With --all the whole list is printed, page by page; with --json it is one document.',
    examples: [
      ['List the latest executions', '$0 ls'],
      ['List those that wait for a person, an event or a timer', '$0 ls --status paused'],
      ['Count the executions of a workflow by status', '$0 ls --workflow refund-approval --group-by status'],
      ['Count the failures of the last day by their error', '$0 ls --status failed --since 1d --group-by error'],
      ['List those that failed with one of these errors', '$0 ls --error "charge: timeout after # ms"'],
      ['List failures for a customer in the last two hours', '$0 ls -s failed,limit_exceeded --label customer=acme --since 2h'],
      [
        'Print the ids of all failed executions of a workflow',
        "$0 ls --status failed --workflow refund-approval --all --json | jq -r '.executions[].execution_id'",
      ],
    ],
  };

  protected override readonly executionOptions: readonly string[] = ['parent'];
  status = FILTER.status();
  workflow = FILTER.workflow();
  workflowVersion = FILTER.workflowVersion();
  label = FILTER.label();
  since = FILTER.since();
  until = FILTER.until();
  parent = FILTER.parent();
  error = FILTER.error();
  limit = Option.String('--limit', '50', { description: 'Maximum number of executions, 1 to 1000 (default 50).' });
  offset = Option.String('--offset', {
    description: 'Number of executions to skip, after the cursor if there is one (default 0).',
  });
  cursor = Option.String('--cursor', { description: 'Start after an earlier page: its next_cursor.' });
  all = Option.Boolean('--all', false, { description: 'Print all pages.' });
  groupBy = Option.String('--group-by', {
    description: 'How many there are of each status, or error, in the place of the list: status, error.',
  });

  protected readonly emptyText = 'no executions';

  protected override async request(client: JamjetClient): Promise<number> {
    if (this.all && this.watch) throw usageFailure('give --all or --watch, not both');
    if (this.groupBy !== undefined) return this.#listGroups(client, this.groupBy);
    return this.all ? this.#listAll(client) : super.request(client);
  }

  protected async read(client: JamjetClient, call: CallOptions): Promise<ExecutionList> {
    const limit = integerArgument('--limit', this.limit, { min: 1, max: PAGE });
    return client.executions({ ...conditionsOf(this, Date.now()), ...this.#pageStart(), limit }, call);
  }

  protected listText({ executions, next_cursor }: ExecutionList): string | null {
    if (executions.length === 0 && next_cursor === null) return null;
    return table(this.#columns(), this.#rows(executions), this.paint);
  }

  protected override moreHint({ next_cursor }: ExecutionList): string | null {
    return next_cursor === null ? null : `more executions: add --all, or --cursor ${next_cursor}`;
  }

  async #listGroups(client: JamjetClient, by: string): Promise<number> {
    choiceArgument('--group-by', by, ['status', 'error']);
    if (this.all || this.watch || this.cursor !== undefined || this.offset !== undefined)
      throw usageFailure('--group-by cannot be combined with --all, --watch, --cursor or --offset');
    return by === 'status' ? this.#listStatuses(client) : this.#listErrors(client);
  }

  async #listStatuses(client: JamjetClient): Promise<number> {
    const found = await client.executionCounts(conditionsOf(this, Date.now()));
    if (!this.json && found.more)
      this.note(`only the newest ${found.examined} executions were looked at: narrow the list with --since`);
    if (this.json) this.printJson(found);
    else if (found.total === 0) this.note(this.emptyText);
    else this.print(statusCountsText(found, this.paint));
    return EXIT.ok;
  }

  async #listErrors(client: JamjetClient): Promise<number> {
    if (this.error !== undefined) throw usageFailure('give --error or --group-by error, not both');
    const limit = integerArgument('--limit', this.limit, { min: 1, max: PAGE });
    const list = await client.executionErrors({ ...conditionsOf(this, Date.now()), limit });
    if (this.json) this.printJson(list);
    else if (list.groups.length === 0) this.note(list.examined === 0 ? this.emptyText : 'no errors');
    else this.print(errorGroupsText(list, { paint: this.paint, nowMs: Date.now(), columns: columnsOf(this.context.stdout) }));
    if (!this.json && list.more)
      this.note(`only the newest ${list.examined} executions were looked at: narrow the list with --since`);
    if (!this.json && list.total_groups > list.groups.length)
      this.note(`${list.total_groups - list.groups.length} more errors: add --limit ${list.total_groups}`);
    return EXIT.ok;
  }

  #pageStart(): PageStart {
    return {
      ...(this.cursor === undefined ? {} : { cursor: this.cursor }),
      ...(this.offset === undefined
        ? {}
        : { offset: integerArgument('--offset', this.offset, { min: 0, max: Number.MAX_SAFE_INTEGER }) }),
    };
  }

  /** Prints page by page, so that memory does not grow with the list. */
  async #listAll(client: JamjetClient): Promise<number> {
    const conditions = conditionsOf(this, Date.now());
    let found = 0;
    for (let page = this.#pageStart(); ; ) {
      const { executions, next_cursor } = await client.executions({ ...conditions, ...page, limit: PAGE });
      this.#printPage(executions, found === 0);
      found += executions.length;
      if (next_cursor === null) break;
      page = { cursor: next_cursor };
    }
    if (this.json) this.print(found === 0 ? '{"executions":[]}' : ']}');
    else if (found === 0) this.note(this.emptyText);
    return EXIT.ok;
  }

  #printPage(executions: readonly ExecutionItem[], isFirst: boolean): void {
    if (executions.length === 0) return;
    const head = isFirst ? '{"executions":[' : ',';
    const [titles = '', ...lines] = table(this.#columns(), this.#rows(executions), this.paint).split('\n');
    if (this.json) this.print(`${head}${executions.map((execution) => JSON.stringify(execution)).join(',\n')}`);
    else this.print([...(isFirst ? [titles] : []), ...lines].join('\n'));
  }

  get #isShort(): boolean {
    return (columnsOf(this.context.stdout) ?? COLUMNS_FOR_IDS) < COLUMNS_FOR_IDS;
  }

  #columns(): readonly Column[] {
    return [{ title: this.#isShort ? 'ID' : 'EXECUTION' }, ...COLUMNS];
  }

  #rows(executions: readonly ExecutionItem[]): readonly (readonly string[])[] {
    const nowMs = Date.now();
    const isShort = this.#isShort;
    const rows = executions.map((execution) => {
      const startMs = Date.parse(execution.created_at);
      const endMs = execution.completed_at === null ? nowMs : Date.parse(execution.completed_at);
      return [
        isShort ? shortId(execution.execution_id) : execution.execution_id,
        plain(`${execution.workflow_id} ${execution.workflow_version}`),
        paintStatus(execution.status, this.paint),
        String(execution.steps_executed),
        ago(startMs, nowMs),
        duration(endMs - startMs),
        this.paint.dim(cut(plain(execution.error ?? segmentText(execution)), 60)),
      ];
    });
    const columns = columnsOf(this.context.stdout);
    const titles = this.#columns().map(({ title }) => title);
    return columns === null ? rows : fitRows(titles, rows, columns, SHRINKABLE);
  }
}

/** The first segment of a chain looks like the others only in its own reply: a list does not say what continues it. */
function segmentText({ segment_number }: ExecutionItem): string {
  return segment_number === 0 ? '' : `segment ${segment_number}`;
}

export { LsCommand as command };
