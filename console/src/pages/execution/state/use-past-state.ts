import { keepPreviousData, type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query';
import type { JamjetClient, PastState } from '../../../../../src/client/index.ts';
import { useSession } from '../../../session/session.ts';

/** States may be large. */
const KEPT_MS = 60_000;

export interface ComparedState {
  readonly shown: PastState;
  /** What it is compared with; null = nothing was before. */
  readonly before: PastState | null;
}

/**
 * The state after the last step that had ended by the sequence, and the one it is compared with: the step before (`from` null), or that at
 * another sequence. Moving on shows the earlier pair until the new one is read.
 */
export function usePastState(id: string, sequence: number | null, from: number | null) {
  const { client } = useSession();
  const queries = useQueryClient();
  return useQuery({
    queryKey: ['compared-state', id, sequence, from],
    queryFn: async (): Promise<ComparedState> => {
      const read = (at: number): Promise<PastState> => readState(queries, client, id, at);
      const shown = await read(sequence ?? 1);
      const base = from ?? shown.sequence - 1;
      const before = base < 1 ? null : await read(base);
      // Within the first step, the API gives the state after it.
      return { shown, before: from === null && before?.sequence === shown.sequence ? null : before };
    },
    enabled: sequence !== null,
    placeholderData: keepPreviousData,
    gcTime: KEPT_MS,
  });
}

/** What has happened does not change. */
export function readState(queries: QueryClient, client: JamjetClient, id: string, at: number): Promise<PastState> {
  return queries.fetchQuery({
    queryKey: ['state', id, at],
    queryFn: ({ signal }) => client.history.state(id, at, { signal }),
    gcTime: KEPT_MS,
  });
}
