import { inspect } from 'node:util';
import type { Context, Output } from '../context.ts';

export type Paint = Readonly<Record<'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan', (text: string) => string>>;

/** Colours for one stream: enabled on a terminal and by FORCE_COLOR, disabled by NO_COLOR. */
export function paintFor(stream: Output, env: Context['env']): Paint {
  return paint(wantsColour(stream, env));
}

export function paint(enabled: boolean): Paint {
  const style = (name: 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan') => {
    const [on = 0, off = 0] = inspect.colors[name] ?? [];
    return (text: string) => (enabled && text !== '' ? `\u001b[${on}m${text}\u001b[${off}m` : text);
  };
  return {
    bold: style('bold'),
    dim: style('dim'),
    green: style('green'),
    red: style('red'),
    yellow: style('yellow'),
    cyan: style('cyan'),
  };
}

function wantsColour(stream: Output, env: Context['env']): boolean {
  if (isSet(env.NO_COLOR)) return false;
  if (isSet(env.FORCE_COLOR)) return env.FORCE_COLOR !== '0';
  return stream.isTTY === true && env.TERM !== 'dumb';
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}
