/** The server in your own process: `import { startServer } from 'jamjet-runtime/server'`. */
export { ToolsError } from '../project/tools.ts';
export { ListenError, type Server, type ServerOptions, startServer } from '../server/compose.ts';
export { type Config, ConfigError, type Environment, readConfig } from '../server/config.ts';
