import { Option } from 'clipanion';
import { type JamjetClient, Unreachable } from '../../client/index.ts';
import { connect, DEFAULT_URL, explainApiError } from '../connection/connect.ts';
import { type OfflineDatabase, openOfflineDatabase } from '../connection/offline-database.ts';
import { PrintingCommand } from './command.ts';

/** A command that sends requests to a server and prints the replies. */
export abstract class ClientCommand extends PrintingCommand {
  runtime = Option.String('-r,--runtime', { description: `URL of the server (default: JAMJET_URL, else ${DEFAULT_URL}).` });

  async execute(): Promise<number> {
    const connection = await connect(this.runtime, this.context);
    try {
      return await this.request(connection.client);
    } catch (error) {
      const mayReadOffline = error instanceof Unreachable && !connection.explicit && this.readOnly;
      const offline = mayReadOffline ? await openOfflineDatabase(this.context) : null;
      if (offline === null) throw explainApiError(error, connection);
      return await this.#requestOffline(offline, connection.url);
    }
  }

  /** Whether the command may fall back to the local database when no server is running. */
  protected get readOnly(): boolean {
    return false;
  }

  /** Runs the command; resolves to its exit code. */
  protected abstract request(client: JamjetClient): Promise<number>;

  async #requestOffline(offline: OfflineDatabase, url: string): Promise<number> {
    this.note(`no server at ${url}: reading from ${offline.path}`);
    try {
      return await this.request(offline.client);
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
