import { existsSync } from 'node:fs';
import { JamjetClient } from '../../client/index.ts';
import type { Context } from '../context.ts';
import { settings } from '../input/settings.ts';
import { shortPath } from '../terminal/path.ts';

/** A database that no server has open: its executions rest, and can be looked at. */
export interface OfflineDatabase {
  readonly client: JamjetClient;
  readonly path: string;
  close(): Promise<void>;
}

/** The configured database, read through the same API; null when there is none. Rejects with `store_locked` when it is in use. */
export async function openOfflineDatabase(context: Pick<Context, 'env' | 'cwd'>): Promise<OfflineDatabase | null> {
  const config = settings(context);
  if (config.database.engine === 'postgres' || !existsSync(config.database.path)) return null;
  const { openEmbedded } = await import('../../compose.ts');
  const runtime = await openEmbedded({ config, actor: 'terminal', adopts: () => false });
  return {
    client: new JamjetClient({ url: 'http://embedded', fetch: runtime.fetch }),
    path: shortPath(config.database.path, context.cwd),
    close: () => runtime.close(0),
  };
}
