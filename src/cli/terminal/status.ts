import type { Paint } from './paint.ts';

export const STATUSES = ['pending', 'running', 'paused', 'completed', 'failed', 'cancelled', 'limit_exceeded'] as const;

export function isTerminal(status: string): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled' || status === 'limit_exceeded';
}

export function paintStatus(status: string, paint: Paint): string {
  if (status === 'completed') return paint.green(status);
  if (status === 'failed' || status === 'limit_exceeded') return paint.red(status);
  if (status === 'paused') return paint.yellow(status);
  return status === 'cancelled' ? paint.dim(status) : paint.cyan(status);
}
