import { Option } from 'clipanion';
import { type JamjetClient, Unreachable, type Warning } from '../../client/index.ts';
import { connect, DEFAULT_URL, explainApiError } from '../connection/connect.ts';
import { type OfflineDatabase, openOfflineDatabase } from '../connection/offline-database.ts';
import { EXIT } from '../failure.ts';
import { executionIdOf } from '../input/execution-id.ts';
import { plain } from '../terminal/text.ts';
import { PrintingCommand } from './command.ts';

const OFFLINE_CHANGE = 'work that follows begins with `jamjet run FILE --resume ID` or `jamjet dev`';

/** A command that sends requests to a server and prints the replies. */
export abstract class ClientCommand extends PrintingCommand {
  runtime = Option.String('-r,--runtime', { description: `URL of the server (default: JAMJET_URL, else ${DEFAULT_URL}).` });

  /** Names of the options that select an execution: `request` finds whole ids in the place of short ones and of `last`. */
  protected readonly executionOptions: readonly string[] = [];

  async execute(): Promise<number> {
    const onWarning = ({ message }: Warning) => this.warn(plain(message));
    const connection = await connect(this.runtime, this.context, onWarning);
    try {
      return await this.#request(connection.client);
    } catch (error) {
      const isWithoutServer = error instanceof Unreachable && !connection.explicit && (this.readOnly || this.changesOffline);
      const offline = isWithoutServer ? await openOfflineDatabase(this.context, { onWarning }) : null;
      if (offline === null) throw explainApiError(error, connection);
      return await this.#requestOffline(offline, connection.url);
    }
  }

  /** Whether the command may fall back to the local database when no server is running. */
  protected get readOnly(): boolean {
    return false;
  }

  /** Whether it may change an execution of the local database when no server is running. The work that follows waits for a runtime. */
  protected get changesOffline(): boolean {
    return false;
  }

  async #request(client: JamjetClient): Promise<number> {
    const options = this as unknown as Record<string, unknown>;
    for (const name of this.executionOptions) {
      const typed = options[name];
      if (typeof typed === 'string') options[name] = await executionIdOf(client, typed);
    }
    return this.request(client);
  }

  /** Runs the command; resolves to its exit code. */
  protected abstract request(client: JamjetClient): Promise<number>;

  async #requestOffline(offline: OfflineDatabase, url: string): Promise<number> {
    const isChange = this.changesOffline;
    this.note(`no server at ${url}: ${isChange ? 'changing' : 'reading from'} ${offline.path}`);
    try {
      const code = await this.#request(offline.client);
      if (isChange && code === EXIT.ok) this.note(OFFLINE_CHANGE);
      return code;
    } catch (error) {
      throw explainApiError(error, { url: offline.path, tokenSource: null });
    } finally {
      await offline.close();
    }
  }
}

/** A command that only reads. */
export abstract class ReadOnlyCommand extends ClientCommand {
  protected override get readOnly(): boolean {
    return true;
  }
}
