import { useSession } from '../../../session/session.ts';
import { useAction } from '../../../shell/use-action.ts';
import { useExecutionView } from '../execution-view.ts';

/** Replays the log on the server and compares the result with what is stored. Calls no tool. */
export function useVerify() {
  const { id } = useExecutionView();
  const { client } = useSession();
  return useAction(
    async () => {
      const replayed = await client.history.replay(id);
      const { matches, mismatch } = replayed;
      if (!matches)
        throw new Error(`The log does not replay to what is stored: event ${mismatch?.sequence}: ${mismatch?.problem}`);
      return replayed;
    },
    ({ events, redacted }) =>
      redacted === true
        ? 'Nothing was replayed: the data policy has erased what the log could be replayed from.'
        : `Verified: the ${events.toLocaleString()} events replay to what is stored.`,
  );
}
