import { largeState, smallExecutions } from './bytes.ts';
import { postgres } from './cluster.ts';
import { dormant } from './dormant.ts';
import { lists } from './lists.ts';
import { overHttp } from './over-http.ts';
import { stepCosts } from './step-cost.ts';
import { streams } from './streams.ts';
import { inProcess, rawLoop, startsInProcess } from './throughput.ts';

/** What the bench measures, each in a process of its own so that none inherits another's heap. */
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

/** Only measured when it is named: it takes longer than all the others together may. */
export const ON_REQUEST: readonly string[] = ['postgres'];

export type SectionName = keyof typeof SECTIONS;
export type Results = { readonly [N in SectionName]: Awaited<ReturnType<(typeof SECTIONS)[N]>> };
