import { Option } from 'clipanion';
import { databaseName } from '../../server/config.ts';
import { PrintingCommand, type Usage } from '../base/command.ts';
import { requireLoopback, serve, toolsOfModule } from '../connection/serve.ts';
import { settings } from '../input/settings.ts';

class ServeCommand extends PrintingCommand {
  static override usage: Usage = {
    details: `
Logs are JSON lines on standard output. SIGTERM stops the server gracefully: no new requests are accepted, commits finish, and running
functions get ten seconds. No token is created: use \`jamjet token create --role operator\` for the first one.

  JAMJET_BIND, JAMJET_PORT   address and port (127.0.0.1, 7700)
  DATABASE_URL               database: a path, sqlite://PATH or postgres://… (.jamjet/runtime.db)
  JAMJET_LOG, RUST_LOG       log level (info)
  JAMJET_PUBLIC_URL, JAMJET_STEP_LIMIT, JAMJET_EVENT_FORMAT, JAMJET_WORKFLOW_ENV,
  JAMJET_TOOL_TENANTS, JAMJET_AUDIT_SIGNING_KEY, JAMJET_SECRET_KEY, JAMJET_ALLOW_PRIVATE_ADDRESSES,
  JAMJET_CONFIG              file with MCP servers (jamjet.toml)
  JAMJET_METRICS_TOKEN, JAMJET_METRICS_PORT, JAMJET_METRICS_TENANTS (docs/telemetry.md)
  JAMJET_DEV_MODE (no authentication; loopback addresses only)`,
    examples: [
      ['Provide functions as tools', '$0 serve --tools ./tools.mjs'],
      ['Listen on all addresses', 'DATABASE_URL=/var/lib/jamjet/runtime.db $0 serve --bind 0.0.0.0 --port 7700'],
    ],
  };

  port = Option.String('-p,--port', { description: 'Port to listen on; 0 picks a free one (default JAMJET_PORT, else 7700).' });
  bind = Option.String('--bind', { description: 'Address to listen on (default JAMJET_BIND, else 127.0.0.1).' });
  script = Option.String('--script', { description: 'File with answers for every model, in the place of providers.' });
  tools = Option.String('--tools', { description: 'Module whose exported functions are tools; they run in this process.' });

  async execute(): Promise<number> {
    const config = settings(this.context, { port: this.port, bind: this.bind, script: this.script });
    if (config.devMode) requireLoopback(config, 'Unset JAMJET_DEV_MODE, or JAMJET_BIND and --bind.');
    if (config.devMode) this.warn('JAMJET_DEV_MODE is set: authentication is off');
    const tools = await toolsOfModule(this.context, this.tools);
    return serve(this.context, {
      config,
      auth: config.devMode ? 'off' : 'on',
      tools,
      onStarted: ({ url }) => {
        const names = Object.keys(tools);
        if (this.json)
          this.print(JSON.stringify({ url, database: databaseName(config.database), auth: !config.devMode, tools: names }));
        else this.note(`listening on ${url}`);
      },
      onStopping: () => this.note('stopping'),
    });
  }
}

export { ServeCommand as command };
