/** How serious a line of a log is. */
export type ToolLogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Further fields of a log line. An `Error` under `err` is logged with its stack. */
export type ToolLogFields = Readonly<Record<string, unknown>>;

/** Writes a line to the log. */
export type ToolLogLine = (message: string, fields?: ToolLogFields) => void;

/** The log of the process that runs the tool. */
export type ToolLog = Readonly<Record<ToolLogLevel, ToolLogLine>>;

/** A log whose lines go to `write`. */
export function toolLog(write: (level: ToolLogLevel, message: string, fields: ToolLogFields) => void): ToolLog {
  const line =
    (level: ToolLogLevel): ToolLogLine =>
    (message, fields = {}) =>
      write(level, String(message), fields);
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}
