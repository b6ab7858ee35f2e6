import { useQuery } from '@tanstack/react-query';
import { isObject, type Json, type JsonObject } from '../../../../machines/json.ts';
import { type StateSchemas, stateSchemas } from '../../../../src/views/state-schema.ts';
import { useSession } from '../../session/session.ts';
import type { Asked } from './asked.ts';

/** What a person looks at before a decision. */
export interface Review {
  /** For a person who was asked: as it was then; for a held tool: as it is now, which is what it would be given. */
  readonly state: JsonObject;
  readonly schemas: StateSchemas;
  /** What a held tool would be given now; undefined = the state, or it is large. */
  readonly input: Json | undefined;
}

export function useReview({ execution_id: id, kind, sequence }: Asked) {
  const { client } = useSession();
  return useQuery({
    queryKey: ['review', id, sequence],
    queryFn: async ({ signal }): Promise<Review> => {
      const [execution, [asked], { pending }] = await Promise.all([
        client.execution(id, { signal }),
        kind === 'tool' ? [] : client.events(id, { after: sequence - 1, limit: 1, signal }),
        kind === 'tool' ? client.approvals(id, { signal }) : { pending: [] },
      ]);
      const { ir } = await client.revision(execution.workflow_id, execution.revision, { signal });
      const shown = asked?.type === 'interrupt_raised' ? asked.data.state_for_review : undefined;
      return {
        state: isObject(shown) ? shown : execution.state,
        schemas: stateSchemas(ir),
        input: pending.find((each) => each.sequence === sequence)?.input,
      };
    },
    staleTime: 0,
  });
}
