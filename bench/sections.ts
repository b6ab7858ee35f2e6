import { largeState, smallExecutions } from './bytes.ts';
import { postgres } from './cluster.ts';
import { dormant } from './dormant.ts';
import { lists } from './lists.ts';
import { overHttp } from './over-http.ts';
import { stepCosts } from './step-cost.ts';
import { streams } from './streams.ts';
import { inProcess, rawLoop, startsInProcess } from './throughput.ts';

/** Sections of the bench, each measured in its own process with a new heap. */
export const SECTIONS = {
  inProcess,
  rawLoop,
  overHttp,
  startsInProcess,
  stepCosts,
  largeState,
  smallExecutions,
  dormant,
  lists,
  streams,
  postgres,
} as const;

/** Measured only if named, because it takes as long as all others together. */
export const ON_REQUEST: readonly string[] = ['postgres'];

export type SectionName = keyof typeof SECTIONS;
export type Results = { readonly [N in SectionName]: Awaited<ReturnType<(typeof SECTIONS)[N]>> };
