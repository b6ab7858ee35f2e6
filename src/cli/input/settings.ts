import { resolve } from 'node:path';
import { type Config, ConfigError, type DatabaseConfig, readConfig } from '../../server/config.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';

/** Options that override an environment variable. */
const VARIABLES = { db: 'DATABASE_URL', port: 'JAMJET_PORT', bind: 'JAMJET_BIND', script: 'JAMJET_MODEL_SCRIPT' } as const;
type Options = { readonly [name in keyof typeof VARIABLES]?: string | undefined };

/** Configuration from the environment and options. The database path is resolved against the working directory. */
export function settings(context: Pick<Context, 'env' | 'cwd'>, options: Options = {}): Config {
  const env: Record<string, string | undefined> = { ...context.env };
  const given = Object.entries(VARIABLES).filter(([name]) => options[name as keyof Options] !== undefined);
  for (const [name, variable] of given) env[variable] = options[name as keyof Options];
  let config: Config;
  try {
    config = readConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const message = given.reduce((text, [name, variable]) => text.replace(`${variable}:`, `--${name}:`), error.message);
    throw new Failure(message, { exitCode: 2, cause: error });
  }
  const { operatorFile, modelScript } = config;
  return {
    ...config,
    database: withAbsolutePath(config.database, context),
    operatorFile: { ...operatorFile, path: resolve(context.cwd, operatorFile.path) },
    modelScript: modelScript === null ? null : resolve(context.cwd, modelScript),
  };
}

function withAbsolutePath(database: DatabaseConfig, { cwd }: Pick<Context, 'cwd'>): DatabaseConfig {
  return database.engine === 'sqlite' ? { ...database, path: resolve(cwd, database.path) } : database;
}

/** Configuration of one of several databases on a command line. `what` names it in errors. */
export function databaseSetting(context: Pick<Context, 'env' | 'cwd'>, what: string, text: string): DatabaseConfig {
  try {
    return settings(context, { db: text }).database;
  } catch (error) {
    throw error instanceof Failure
      ? new Failure(error.message.replace('--db:', `${what}:`), { exitCode: 2, cause: error })
      : error;
  }
}
