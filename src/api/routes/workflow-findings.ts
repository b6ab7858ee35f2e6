import { LRUCache } from 'lru-cache';
import { RuntimeError } from '../../runtime/errors.ts';
import { FairQueue } from '../../runtime/scheduling/fair-queue.ts';
import type { WorkflowAnalysis } from '../../testing/analysis.ts';
import type { AnalysisStopped } from '../../testing/thread/analyse-in-thread.ts';
import { WorkflowFindings } from '../operations/workflow-findings.ts';
import { WorkflowById, WorkflowQuery } from '../operations/workflows.ts';
import { storedWorkflow } from '../requests/stored-workflow.ts';
import { type Api, identityOf, type Services } from '../services.ts';

/** Analyses at a time, and those that may wait, in all and per tenant. Each has a thread. */
const LIMITS = { active: 1, activePerKey: 1, waiting: 32, waitingPerKey: 8 };
/** Of the exploration, as in `jamjet test`; then the time after which it ends, and the one after which its thread does. */
const BOUNDS = { paths: 1_000, steps: 10_000, budgetMs: 2_000 };
const LIMIT_MS = 20_000;
const RETRY_AFTER_MS = 5_000;
/** Findings kept, of all revisions together. */
const MAX_CACHED_FINDINGS = 10_000;

/** What is known of a workflow before it runs. */
export function workflowFindingRoutes(app: Api, { store }: Services): void {
  const queue = new FairQueue('too many workflows are being analysed', LIMITS);
  const cache = new LRUCache<string, WorkflowAnalysis>({
    maxSize: MAX_CACHED_FINDINGS,
    sizeCalculation: ({ findings }) => findings.length + 1,
  });
  const running = new Map<string, Promise<WorkflowAnalysis>>();
  const closing = new AbortController();
  app.addHook('preClose', async () => closing.abort(new RuntimeError('shutting_down', 'the server is shutting down')));

  const analysisOf = async (tenantId: string, revision: string, source: string): Promise<WorkflowAnalysis> => {
    const known = cache.get(revision) ?? running.get(revision);
    if (known !== undefined) return known;
    const analysing = queue
      .run(tenantId, async () => {
        const { AnalysisStopped, analyseInThread } = await import('../../testing/thread/analyse-in-thread.ts');
        return analyseInThread({ source, ...BOUNDS }, LIMIT_MS, closing.signal).catch((cause: unknown) => {
          throw cause instanceof AnalysisStopped ? refusalOf(cause) : cause;
        });
      })
      .finally(() => running.delete(revision));
    running.set(revision, analysing);
    const analysis = await analysing;
    cache.set(revision, analysis);
    return analysis;
  };

  app.get(
    '/workflows/:workflow_id/findings',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Analyse a workflow',
        description:
          'The warnings of its registration, and what an exploration of its paths has found: dead ends, loops without an end, nodes and branches that no run reaches, outcomes that end the execution. The first request for a revision takes up to seconds; 400 if the workflow is too large, 503 if the server is too busy.',
        tags: ['Workflows'],
        operationId: 'analyseWorkflow',
        params: WorkflowById,
        querystring: WorkflowQuery,
        response: { 200: WorkflowFindings },
      },
    },
    async (request) => {
      const { tenantId } = identityOf(request);
      const { workflow_id } = request.params;
      const { version, revision, source } = await storedWorkflow(store.tenant(tenantId), workflow_id, request.query);
      const { findings, paths, states, steps, bounded } = await analysisOf(tenantId, revision, source);
      return {
        workflow_id,
        version,
        revision,
        findings: [...findings],
        paths,
        states,
        steps,
        complete: bounded.length === 0,
        bounded: [...bounded],
      };
    },
  );
}

/** Registered workflows are small enough to be analysed in time by a server that is not busy. */
export function refusalOf(cause: AnalysisStopped): RuntimeError {
  if (cause.limit === 'memory') return new RuntimeError('bad_request', cause.message, { cause });
  return new RuntimeError('overloaded', `the server is busy: ${cause.message}`, { cause, retryAfterMs: RETRY_AFTER_MS });
}
