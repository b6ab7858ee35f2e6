import { LRUCache } from 'lru-cache';
import { RuntimeError } from '../../runtime/errors.ts';
import { FairQueue } from '../../runtime/scheduling/fair-queue.ts';
import type { WorkflowAnalysis } from '../../testing/analysis.ts';
import type { AnalysisStopped } from '../../testing/thread/analyse-in-thread.ts';
import { Verbatim } from '../operations/codec.ts';
import { WORKFLOW_FINDINGS } from '../operations/workflow-findings.ts';
import { storedWorkflow } from '../requests/stored-workflow.ts';
import type { Api, Services } from '../services.ts';
import { implement } from './implement.ts';

/** Analyses at a time, and those that may wait, in all and per tenant. Each has a thread. */
const LIMITS = { active: 1, activePerKey: 1, waiting: 32, waitingPerKey: 8 };
/** Of the exploration, as in `jamjet test`; then the time after which it ends, and the one after which its thread does. */
const BOUNDS = { paths: 1_000, steps: 10_000, budgetMs: 2_000 };
const LIMIT_MS = 20_000;
const RETRY_AFTER_MS = 5_000;
/** Findings kept, of all revisions together. */
const MAX_CACHED_FINDINGS = 10_000;

/** What is known of a workflow before it runs. */
export function workflowFindingRoutes(app: Api, services: Services): void {
  const analyses = new Analyses();
  app.addHook('preClose', async () => analyses.close());
  implement(WORKFLOW_FINDINGS, {
    'GET /workflows/:workflow_id/findings': async ({ params: { workflowId }, query, tenantId }, { store }) => {
      const { version, revision, source } = await storedWorkflow(store.tenant(tenantId), workflowId, query);
      const { findings, ...explored } = await analyses.of(tenantId, revision, source);
      const complete = explored.bounded.length === 0;
      return { workflowId, version, revision, findings: new Verbatim(findings), ...explored, complete };
    },
  })(app, services);
}

/** Analyses of revisions: each is made once, and the last ones are kept. */
class Analyses {
  readonly #queue = new FairQueue('too many workflows are being analysed', LIMITS);
  readonly #cache = new LRUCache<string, WorkflowAnalysis>({
    maxSize: MAX_CACHED_FINDINGS,
    sizeCalculation: ({ findings }) => findings.length + 1,
  });
  readonly #running = new Map<string, Promise<WorkflowAnalysis>>();
  readonly #closing = new AbortController();

  close(): void {
    this.#closing.abort(new RuntimeError('shutting_down', 'the server is shutting down'));
  }

  async of(tenantId: string, revision: string, source: string): Promise<WorkflowAnalysis> {
    const known = this.#cache.get(revision) ?? this.#running.get(revision);
    if (known !== undefined) return known;
    const analysing = this.#queue.run(tenantId, () => this.#analyse(source)).finally(() => this.#running.delete(revision));
    this.#running.set(revision, analysing);
    const analysis = await analysing;
    this.#cache.set(revision, analysis);
    return analysis;
  }

  async #analyse(source: string): Promise<WorkflowAnalysis> {
    const { AnalysisStopped, analyseInThread } = await import('../../testing/thread/analyse-in-thread.ts');
    return analyseInThread({ source, ...BOUNDS }, LIMIT_MS, this.#closing.signal).catch((cause: unknown) => {
      throw cause instanceof AnalysisStopped ? refusalOf(cause) : cause;
    });
  }
}

/** Registered workflows are small enough to be analysed in time by a server that is not busy. */
export function refusalOf(cause: AnalysisStopped): RuntimeError {
  if (cause.limit === 'memory') return new RuntimeError('bad_request', cause.message, { cause });
  return new RuntimeError('overloaded', `the server is busy: ${cause.message}`, { cause, retryAfterMs: RETRY_AFTER_MS });
}
