import { useSession } from '../session/session.ts';
import { useFreshQuery } from './use-fresh-query.ts';

const MAX_SUGGESTED = 1_000;

/** Ids of the registered workflows, to suggest while one is typed. */
export function useWorkflowIds(): readonly string[] {
  const { client } = useSession();
  const known = useFreshQuery({
    queryKey: ['workflows', 'ids'],
    queryFn: ({ signal }) => client.workflows({ limit: MAX_SUGGESTED }, { signal }),
  });
  return [...new Set(known.data?.workflows.map((each) => each.workflow_id))];
}
