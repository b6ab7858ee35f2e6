import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { JsonObject } from '../../../machines/json.ts';
import type { LoadedProject, ReadProject } from '../../project/served-project.ts';
import type { Server } from '../../server/compose.ts';
import type { TenantVars } from '../../server/tenant-grants.ts';
import { type Context, userOf } from '../context.ts';
import { asFailure, Failure, usageFailure } from '../failure.ts';
import { type CommandServer, commandServers } from '../following/command-servers.ts';
import { readText } from '../input/arguments.ts';
import { renderDiagnostics } from '../input/workflow-file.ts';
import { paintFor } from '../terminal/paint.ts';
import { shortPath } from '../terminal/path.ts';
import { plain } from '../terminal/text.ts';
import { shortRevision } from '../texts/workflow.ts';

/** The file that is served if none is named. */
const USUAL = ['ts', 'mts', 'js', 'mjs', 'yaml', 'yml', 'json'].map((suffix) => `workflow.${suffix}`);
const MAX_LISTED_TOOLS = 6;

type Registered = Awaited<ReturnType<Server['runtime']['register']>>;

export interface DevFiles {
  /** Workflow files; none = `workflow.ts`, `workflow.yaml` …, if the project is watched. */
  readonly workflows: readonly string[];
  readonly tools: string | undefined;
  readonly watch: boolean;
}

/** The files of a project that a development server serves: registers their workflows, provides their tools, and follows edits. */
export class DevProject {
  readonly #context: Context;
  readonly #files: DevFiles;
  readonly #functions: import('../../project/reloadable-tools.ts').ReloadableTools;
  readonly #vars: Map<string, Readonly<Record<string, string>>>;
  readonly #servers: Record<string, CommandServer> = {};
  #read: ReadProject;
  /** What is in use, by workflow id. */
  #registered = new Map<string, string>();
  #reloading: Promise<void> = Promise.resolve();
  #watcher: import('../../project/file-watcher.ts').FileWatcher | null = null;

  /** Reads the project. Throws a `Failure` if something is wrong with it, unless it is watched, so that it can be put right. */
  static async open(context: Context, given: DevFiles, vars: TenantVars): Promise<DevProject> {
    const { ReloadableTools } = await import('../../project/reloadable-tools.ts');
    const files = {
      ...given,
      workflows: given.workflows.length === 0 && given.watch ? [usualFile(context.cwd)] : given.workflows,
    };
    const read = await readFiles(context, files);
    const project = new DevProject(context, files, read, new ReloadableTools(read.project?.tools ?? {}), vars);
    if (read.project !== null) project.#provide(read.project);
    else if (files.watch) project.#report(read, 'waiting for a change of the files');
    else throw project.#failure(read);
    return project;
  }

  private constructor(
    context: Context,
    files: DevFiles,
    read: ReadProject,
    functions: import('../../project/reloadable-tools.ts').ReloadableTools,
    vars: TenantVars,
  ) {
    this.#context = context;
    this.#files = files;
    this.#read = read;
    this.#functions = functions;
    this.#vars = new Map(vars);
  }

  /** The objects that the server is started with change when the files do. */
  get tools() {
    return this.#functions.tools;
  }

  get vars(): TenantVars {
    return this.#vars;
  }

  get mcpServers(): Readonly<Record<string, CommandServer>> {
    return this.#servers;
  }

  /** Registers the workflows on the server, then follows edits. Resolves to what was registered. */
  async start(server: Server): Promise<readonly Registered[]> {
    const { project, diagnostics } = this.#read;
    this.#print(renderDiagnostics(project?.diagnostics ?? diagnostics, this.#context, this.#paint));
    const registered = await this.#register(server, project?.documents ?? []);
    if (!this.#files.watch) return registered;
    const { FileWatcher } = await import('../../project/file-watcher.ts');
    this.#watcher = new FileWatcher(
      (files) => {
        this.#reloading = this.#reloading
          .then(() => this.#reload(server, files))
          .catch((error: unknown) => this.#printError(error));
      },
      (error) => this.#printError(error),
    );
    this.#watcher.watch(this.#read.files);
    return registered;
  }

  /** Waits for a reload that is in progress. */
  async close(): Promise<void> {
    this.#watcher?.close();
    await this.#reloading;
  }

  async #reload(server: Server, changed: readonly string[]): Promise<void> {
    const read = await readFiles(this.#context, this.#files);
    const names = [...new Set(changed.map((file) => shortPath(file, this.#context.cwd)))].sort().join(', ');
    if (read.project === null) {
      // The files of the last good version too: one of them may be what has to be put right.
      this.#watcher?.watch([...this.#read.files, ...read.files]);
      this.#report(read, `${names} is not reloaded: the version before stays in use`);
      return;
    }
    this.#watcher?.watch(read.files);
    this.#read = read;
    this.#functions.replace(read.project.tools);
    this.#provide(read.project);
    this.#print(renderDiagnostics(read.project.diagnostics, this.#context, this.#paint));
    const before = this.#registered;
    const registered = await this.#register(server, read.project.documents);
    const renewed = registered.filter(({ workflowId, revision }) => before.get(workflowId) !== revision);
    const tools = Object.keys(read.project.tools);
    const listed = `${tools.slice(0, MAX_LISTED_TOOLS).join(', ')}${tools.length > MAX_LISTED_TOOLS ? ', …' : ''}`;
    const what = renewed.length > 0 ? renewed.map(describe).join(', ') : tools.length > 0 ? `tools ${listed}` : 'nothing changed';
    const { stdout } = this.#context;
    stdout.write(`${paintFor(stdout, this.#context.env).green('↻')} reloaded ${plain(names)}: ${plain(what)}\n`);
  }

  #provide({ documents }: LoadedProject): void {
    for (const name of Object.keys(this.#servers)) delete this.#servers[name];
    Object.assign(this.#servers, commandServers(documents));
    const { env } = this.#context;
    const granted = (this.#read.project?.variables ?? []).flatMap((name): [string, string][] =>
      env[name] === undefined ? [] : [[name, env[name]]],
    );
    this.#vars.set('default', { ...this.#vars.get('default'), ...Object.fromEntries(granted) });
  }

  async #register(server: Server, documents: readonly JsonObject[]): Promise<readonly Registered[]> {
    const caller = { tenantId: 'default', actorId: userOf(this.#context), actorType: 'human' } as const;
    const registered: Registered[] = [];
    for (const document of documents) registered.push(await server.runtime.register(caller, document));
    this.#registered = new Map(registered.map(({ workflowId, revision }) => [workflowId, revision]));
    return registered;
  }

  #report({ diagnostics, error }: ReadProject, consequence: string): void {
    this.#print(renderDiagnostics(diagnostics, this.#context, this.#paint));
    if (error !== null) this.#printError(error);
    this.#print(this.#paint.dim(plain(consequence)));
  }

  #failure({ diagnostics, error }: ReadProject): unknown {
    if (error !== null) return error;
    this.#print(renderDiagnostics(diagnostics, this.#context, this.#paint));
    return new Failure(`${this.#files.workflows.join(', ')} is not valid`);
  }

  #printError(error: unknown): void {
    this.#print(`${this.#paint.red('error:')} ${plain(asFailure(error).message, { lines: true })}`);
  }

  get #paint() {
    return paintFor(this.#context.stderr, this.#context.env);
  }

  #print(text: string): void {
    if (text !== '') this.#context.stderr.write(`${text}\n`);
  }
}

/** `greet 0.1.0 (revision 3f2a91c04b7d)`. */
function describe({ workflowId, version, revision }: Registered): string {
  return `${workflowId} ${version} (revision ${shortRevision(revision)})`;
}

async function readFiles({ cwd }: Context, { workflows, tools }: DevFiles): Promise<ReadProject> {
  const { readProject } = await import('../../project/served-project.ts');
  return readProject({
    cwd,
    workflows,
    tools: tools === undefined ? [] : [tools],
    resolve: (file) => resolve(cwd, file),
    read: readText,
  });
}

function usualFile(cwd: string): string {
  const found = USUAL.find((name) => existsSync(resolve(cwd, name)));
  if (found !== undefined) return found;
  throw usageFailure(
    `--watch: there is no workflow.ts or workflow.yaml in ${basename(cwd)}`,
    'Name the files: jamjet dev --watch flows/order.ts',
  );
}
