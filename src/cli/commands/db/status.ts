import { databaseName } from '../../../server/config.ts';
import type { Survey } from '../../../server/databases.ts';
import { ago } from '../../../views/time.ts';
import type { Usage } from '../../base/command.ts';
import { DatabaseCommand } from '../../base/database-command.ts';
import { EXIT } from '../../failure.ts';
import { shownDatabase } from '../../terminal/path.ts';
import { sizeText } from '../../terminal/size.ts';
import { fields } from '../../terminal/table.ts';
import { count, plain } from '../../terminal/text.ts';

class DbStatusCommand extends DatabaseCommand {
  static override usage: Usage = {
    details: 'Works with or without a running server. Changes nothing and does not migrate an old schema.',
    examples: [
      ['Show the configured database', '$0 db status'],
      ['Show another database, in a script', '$0 db status --db postgres://jamjet@db.internal/jamjet --json'],
    ],
  };

  async execute(): Promise<number> {
    const { database } = this.config();
    const { surveyDatabase } = await import('../../../server/databases.ts');
    const survey = await surveyDatabase(database);
    const { content, runtimes } = survey;
    if (this.json) {
      this.printJson({
        engine: survey.engine,
        database: databaseName(database),
        schema_version: survey.schemaVersion,
        newest_schema_version: survey.newestVersion,
        size_bytes: survey.sizeBytes,
        executions: content?.executions ?? {},
        events: content?.events ?? 0,
        workflow_versions: content?.workflows ?? 0,
        timers: content?.timers ?? 0,
        open_work_items: content?.workItems ?? 0,
        runtimes: runtimes.map(({ id, pid, startedAtMs }) => ({ id, pid, started_at: new Date(startedAtMs).toISOString() })),
        warnings: survey.warnings ?? [],
      });
      return EXIT.ok;
    }
    this.print(
      fields(
        [
          ['database', shownDatabase(database, this.context.cwd)],
          ['engine', survey.engine === 'sqlite' ? 'SQLite' : 'PostgreSQL'],
          ['schema', this.#schema(survey)],
          ['size', sizeText(survey.sizeBytes)],
          ...contentRows(survey),
          ['runtimes', this.#runtimes(survey)],
          ...(survey.warnings ?? []).map((warning) => ['warning', this.paint.yellow(plain(warning))] as const),
        ],
        this.paint,
      ),
    );
    return EXIT.ok;
  }

  #schema({ schemaVersion, newestVersion }: Survey): string {
    if (schemaVersion === newestVersion) return `${schemaVersion} ${this.paint.dim('(the newest)')}`;
    const remark = schemaVersion < newestVersion ? `run jamjet db migrate for ${newestVersion}` : 'newer than this release';
    return `${schemaVersion} ${this.paint.yellow(`(${remark})`)}`;
  }

  #runtimes({ runtimes }: Survey): string {
    if (runtimes.length === 0) return this.paint.dim('none');
    const nowMs = Date.now();
    return runtimes
      .map(({ id, pid, startedAtMs }) => {
        const process = pid === null ? '' : `process ${pid}, `;
        return `${plain(id)} ${this.paint.dim(`(${process}started ${ago(startedAtMs, nowMs)})`)}`;
      })
      .join(', ');
  }
}

function contentRows({ content }: Survey): readonly (readonly [string, string])[] {
  if (content === null) return [];
  const statuses = Object.entries(content.executions).map(([status, executions]) => `${executions} ${status}`);
  const sum = Object.values(content.executions).reduce((total, executions) => total + executions, 0);
  return [
    ['executions', statuses.length === 0 ? '0' : `${sum}: ${statuses.join(', ')}`],
    ['events', String(content.events)],
    ['workflows', count(content.workflows, 'version')],
    ['timers', String(content.timers)],
    ['work', count(content.workItems, 'open item')],
  ];
}

export { DbStatusCommand as command };
