import { existsSync } from 'node:fs';
import { JamjetClient, type Warning } from '../../client/index.ts';
import { type Context, userOf } from '../context.ts';
import { settings } from '../input/settings.ts';
import { shortPath } from '../terminal/path.ts';

/** A database that no server has open, read and changed through the API without starting any work. */
export interface OfflineDatabase {
  readonly client: JamjetClient;
  readonly path: string;
  close(): Promise<void>;
}

/**
 * Opens the configured SQLite database, or `db`; null if there is none. Rejects with `store_locked` if it is in use. `onWarning` is called
 * for each warning of a reply.
 */
export async function openOfflineDatabase(
  context: Pick<Context, 'env' | 'cwd'>,
  options: { readonly onWarning?: (warning: Warning) => void; readonly db?: string | undefined } = {},
): Promise<OfflineDatabase | null> {
  const { onWarning = () => undefined, db } = options;
  const config = settings(context, { db });
  if (config.database.engine === 'postgres' || !existsSync(config.database.path)) return null;
  const { openEmbedded } = await import('../../server/compose.ts');
  const runtime = await openEmbedded({ config, actor: userOf(context), shouldProcess: () => false, startsWork: false });
  return {
    client: new JamjetClient({ url: 'http://embedded', fetch: runtime.fetch, onWarning }),
    path: shortPath(config.database.path, context.cwd),
    close: () => runtime.close(0),
  };
}
