import { Option } from 'clipanion';
import { JamjetClient } from '../../client/index.ts';
import { type Config, databaseName, fileOf } from '../../server/config.ts';
import { PrintingCommand, type Usage } from '../base/command.ts';
import { configuredUrl } from '../connection/connect.ts';
import { consoleLink } from '../connection/console-link.ts';
import { isLoopback } from '../connection/loopback.ts';
import { readSavedToken, saveToken, tokenFile } from '../connection/saved-token.ts';
import { reachableUrl, saveUrl, urlFile } from '../connection/saved-url.ts';
import { requireLoopback, serve, toolsOfModule } from '../connection/serve.ts';
import type { DevProject } from '../dev/dev-project.ts';
import { settings } from '../input/settings.ts';
import { openInBrowser } from '../terminal/open.ts';
import { shortPath, shownDatabase } from '../terminal/path.ts';
import { fields } from '../terminal/table.ts';
import { plain, shellWord } from '../terminal/text.ts';

const LINK_LIFETIME = '1h';

interface DevToken {
  readonly plaintext: string;
  readonly file: string;
  readonly created: boolean;
}

/** What the server offers from its first moment on. */
interface Served {
  /** The console, signed in by a one-time link if there is a token. */
  readonly console: string;
  readonly tools: readonly string[];
  /** Id and version of each. */
  readonly workflows: readonly string[];
}

class DevCommand extends PrintingCommand {
  static override usage: Usage = {
    details: `
With workflow files (YAML, or modules such as workflow.ts), their workflows are registered and the functions that they name are tools.
With --watch, edited files are reloaded: attempts that run end with the code they began with, and new ones get the new code; a broken edit
keeps the version before and says what is wrong.

The first start creates an operator token and saves it beside the database, readable by you only, and every start saves its URL there
while it runs; the other commands find both. With another database, the command prints the variables to export for them. Workflows may call addresses of this machine
and its private networks.`,
    examples: [
      ['Listen on port 7700, with data in .jamjet/', '$0 dev'],
      ['Serve a workflow file and its tools, and reload both', '$0 dev workflow.ts --watch'],
      ['Open the console in the browser', '$0 dev --open'],
      ['Provide functions as tools', '$0 dev --tools ./tools.mjs'],
      ['Listen on a free port, without authentication', '$0 dev --port 0 --no-auth'],
      ['Print the address as one line of JSON, for scripts', '$0 dev --port 0 --json'],
    ],
  };

  files = Option.Rest({ name: 'file' });
  watch = Option.Boolean('-w,--watch', false, {
    description: 'Reload edited workflows and tools; without FILE, of workflow.ts or workflow.yaml.',
  });
  port = Option.String('-p,--port', { description: 'Port to listen on; 0 picks a free one (default JAMJET_PORT, else 7700).' });
  db = Option.String('--db', {
    description: 'The database: a file, or postgres://… (default DATABASE_URL, else .jamjet/runtime.db).',
  });
  script = Option.String('--script', { description: 'File with answers for every model, in the place of providers.' });
  tools = Option.String('--tools', { description: 'Module whose exported functions are tools; they run in this process.' });
  open = Option.Boolean('--open', false, { description: 'Open the console in the default browser, signed in.' });
  auth = Option.Boolean('--auth', true, { description: '--no-auth turns authentication off (loopback addresses only).' });

  async execute(): Promise<number> {
    const config: Config = {
      ...settings(this.context, { port: this.port, db: this.db, script: this.script }),
      allowPrivateAddresses: true,
    };
    const auth = this.auth && !config.devMode;
    if (!auth) requireLoopback(config, 'Drop --no-auth, or unset JAMJET_BIND.');
    const usual = settings(this.context);
    const project = await this.#project(config);
    const tools = project?.tools ?? (await toolsOfModule(this.context, this.tools));
    const token = auth ? await this.#token(config) : null;
    let removeUrl = async (): Promise<void> => undefined;
    return serve(this.context, {
      config: this.#withDefaultLogLevel({ ...config, workflowVars: project?.vars ?? config.workflowVars }),
      auth: auth ? 'on' : 'off',
      readableLog: this.context.stdout.isTTY === true && !this.json,
      tools,
      mcpServers: project?.mcpServers,
      onStarted: async (server) => {
        const workflows = (await project?.start(server)) ?? [];
        const names = workflows.map(({ workflowId, version }) => `${workflowId} ${version}`);
        const { url } = server;
        removeUrl = await saveUrl(urlFile(fileOf(config.database), this.context.cwd), url);
        const console = await this.#console(reachableUrl(url), token);
        this.#banner(
          url,
          config,
          token,
          { console, tools: Object.keys(tools), workflows: names },
          this.#exports(usual, url, config, token),
        );
        const problem = this.open ? await openInBrowser(console, this.context) : null;
        if (problem !== null) this.warn(`cannot open a browser: ${problem}; open the console yourself`);
      },
      onStopping: async () => {
        this.note('\nstopping: running executions resume on the next start (Ctrl-C again stops at once)');
        await removeUrl();
        await project?.close();
      },
    });
  }

  /** The files that the server serves; null = it serves what clients register. */
  async #project(config: Config): Promise<DevProject | null> {
    if (this.files.length === 0 && !this.watch) return null;
    const { DevProject } = await import('../dev/dev-project.ts');
    return DevProject.open(this.context, { workflows: this.files, tools: this.tools, watch: this.watch }, config.workflowVars);
  }

  /** Logs warnings and errors only, unless the environment sets a log level. */
  #withDefaultLogLevel(config: Config): Config {
    const { JAMJET_LOG, RUST_LOG } = this.context.env;
    return JAMJET_LOG === undefined && RUST_LOG === undefined ? { ...config, logLevel: 'warn' } : config;
  }

  /** The saved token, or a new one if there is none or it is no longer valid. */
  async #token(config: Config): Promise<DevToken> {
    const { createToken, isValidToken } = await import('../../server/admin.ts');
    const file = tokenFile(fileOf(config.database), this.context.cwd);
    const saved = await readSavedToken(fileOf(config.database), this.context.cwd);
    if (saved !== null && (await isValidToken(config, saved.token))) return { file, plaintext: saved.token, created: false };
    const { plaintext } = await createToken(config, { role: 'operator', tenantId: 'default', name: 'dev', expiresAtMs: null });
    await saveToken(file, plaintext);
    return { file, plaintext, created: true };
  }

  /** The address of the console. The server runs all the same if no link can be made: a token signs in as well. */
  async #console(url: string, token: DevToken | null): Promise<string> {
    if (token === null) return `${url}/`;
    try {
      return (await consoleLink(new JamjetClient({ url, token: token.plaintext }), LINK_LIFETIME)).url;
    } catch (error) {
      this.warn(`cannot make a link to the console: ${error instanceof Error ? error.message : String(error)}`);
      return `${url}/`;
    }
  }

  /** The variables that other commands need to find this server and its token; empty if the defaults find them. */
  #exports(usual: Config, url: string, config: Config, token: DevToken | null): string {
    const { cwd } = this.context;
    const findsUrl = usual.serverUrl === null && urlFile(fileOf(usual.database), cwd) === urlFile(fileOf(config.database), cwd);
    const variables = [
      ...(findsUrl || reaches(configuredUrl(usual), url) ? [] : [`JAMJET_URL=${url}`]),
      ...(token === null || usual.token !== null || tokenFile(fileOf(usual.database), cwd) === token.file
        ? []
        : [`JAMJET_TOKEN="$(cat ${shellWord(shortPath(token.file, cwd))})"`]),
    ];
    return variables.length === 0 ? '' : `export ${variables.join(' ')}   `;
  }

  #banner(url: string, config: Config, token: DevToken | null, { console, tools, workflows }: Served, exports: string): void {
    if (this.json) {
      // A single line, because log lines may follow.
      this.print(
        JSON.stringify({
          url,
          console,
          database: databaseName(config.database),
          auth: token !== null,
          token_file: token?.file ?? null,
          tools,
          ...(this.files.length === 0 && !this.watch ? {} : { workflows }),
        }),
      );
      return;
    }
    const { paint } = this;
    const here = (path: string) => shortPath(path, this.context.cwd);
    const auth =
      token === null
        ? paint.yellow('off: every request acts as operator')
        : `${here(token.file)}${token.created ? paint.dim('  (new, role operator)') : ''}`;
    const listed =
      tools.length === 0
        ? paint.dim(this.tools === undefined ? 'none (name workflow files, or --tools MODULE)' : 'none')
        : tools.join(', ');
    const watched = this.watch ? paint.dim('  (reloaded when files change)') : '';
    this.print(
      `\n${paint.green('●')} ${paint.bold('JamJet')} is running\n\n${fields(
        [
          ['url', paint.cyan(url)],
          ['console', `${paint.cyan(console)}${token === null ? '' : paint.dim('  (signs in once, within an hour)')}`],
          ['docs', paint.cyan(`${url}/docs`)],
          ['database', shownDatabase(config.database, this.context.cwd)],
          ['token', auth],
          ...(workflows.length === 0 ? [] : [['workflows', `${plain(workflows.join(', '))}${watched}`] as const]),
          ['tools', listed],
          ['network', 'HTTP nodes may call loopback and private addresses'],
        ],
        paint,
        '  ',
      )}\n\n${paint.dim(`  ${exports}jamjet run ${shellWord(this.files[0] ?? 'workflow.yaml')}   jamjet ls   Ctrl-C stops`)}\n`,
    );
  }
}

/** Whether a request to `from` reaches the server that listens at `url`. */
function reaches(from: string, url: string): boolean {
  const [asked, listens] = [new URL(from), new URL(url)];
  const everywhere = listens.hostname === '0.0.0.0' || listens.hostname === '[::]';
  const same = asked.hostname === listens.hostname || (isLoopback(from) && (everywhere || isLoopback(url)));
  return same && asked.port === listens.port;
}

export { DevCommand as command };
