import type { JamjetClient } from '../client/index.ts';
import { shortId } from '../views/short-id.ts';
import { connect } from './connection/connect.ts';
import type { Context } from './context.ts';
import { executionIdOf } from './input/execution-id.ts';

/** A completion that takes longer is of no use. */
const TIMEOUT_MS = 800;
const MAX_IDS = 50;

/**
 * Prints what a shell completes, one a line: `ids` of the latest executions, `workflows`, or the `nodes` of an execution. Prints nothing when
 * no server answers in time: a completion must not disturb what is being typed.
 */
export async function complete([kind = '', id = '']: readonly string[], context: Context): Promise<void> {
  try {
    const { client } = await connect(undefined, context);
    const words = await candidates(client, kind, id, AbortSignal.timeout(TIMEOUT_MS));
    context.stdout.write(words.map((word) => `${word}\n`).join(''));
  } catch {
    // Without a server there is nothing to offer.
  }
}

async function candidates(client: JamjetClient, kind: string, id: string, signal: AbortSignal): Promise<readonly string[]> {
  switch (kind) {
    case 'ids': {
      const { executions } = await client.executions({ limit: MAX_IDS }, { signal });
      return ['last', ...executions.map(({ execution_id }) => shortId(execution_id))];
    }
    case 'workflows': {
      const { workflows } = await client.workflows({}, { signal });
      return [...new Set(workflows.map(({ workflow_id }) => workflow_id))];
    }
    case 'nodes': {
      const { workflow_id, workflow_version } = await client.execution(await executionIdOf(client, id), { signal });
      const { ir } = await client.workflow(workflow_id, workflow_version, { signal });
      return Object.keys((ir.nodes ?? {}) as object);
    }
    default:
      return [];
  }
}
