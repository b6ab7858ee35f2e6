import { ApiError, type JamjetClient, type WorkflowDetail } from '../../client/index.ts';

const REVISION = /^[0-9a-f]{6,64}$/;

/** A registered workflow by its version, or by at least six digits of a revision; without one, the version registered last. */
export async function workflowAt(client: JamjetClient, id: string, version: string | undefined): Promise<WorkflowDetail> {
  try {
    return await client.workflow(id, version);
  } catch (error) {
    const mayBeRevision = version !== undefined && REVISION.test(version);
    if (!mayBeRevision || !(error instanceof ApiError) || error.status !== 404) throw error;
    return client.revision(id, version);
  }
}
