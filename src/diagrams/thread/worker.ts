// The thread that draws diagrams: compiling and drawing a workflow of thousands of nodes takes seconds.
import { type MessagePort, parentPort } from 'node:worker_threads';
import { LRUCache } from 'lru-cache';
import { compile } from '../../../machines/compile/index.ts';
import { History } from '../../../machines/history/history.ts';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { JsonObject } from '../../../machines/json.ts';
import type { Program } from '../../../machines/step/program.ts';
import { OverlayBuilder } from '../../../machines/views/overlay-builder.ts';
import { draw } from '../draw.ts';
import { DiagramError } from '../errors.ts';
import type { DrawMessage, SerializedEvent, ThreadAnswer, ThreadMessage } from './messages.ts';

/** A compiled machine takes about 10 KB per node. */
const MAX_CACHED_NODES = 10_000;
/** Of each node in a page. */
const SHOWN_VISITS = { visits: 10, attempts: 10 };

interface Job {
  readonly request: DrawMessage;
  readonly program: Program;
  /** The statuses from the events received so far; null = draw the workflow alone. */
  readonly builder: OverlayBuilder | null;
}

const programs = new LRUCache<string, Program>({
  maxSize: MAX_CACHED_NODES,
  sizeCalculation: (program) => program.workflow.nodes.length + 1,
});
const jobs = new Map<number, Job>();

function programOf({ revision, source }: DrawMessage): Program {
  const cached = programs.get(revision);
  if (cached !== undefined) return cached;
  const program = compile(normalise(JSON.parse(source)).workflow, revision);
  programs.set(revision, program);
  return program;
}

async function handle(message: ThreadMessage, port: MessagePort): Promise<void> {
  if (message.type === 'abandon') {
    jobs.delete(message.job);
    return;
  }
  if (message.type === 'draw') {
    const program = programOf(message);
    const builder = message.execution === null ? null : new OverlayBuilder(program, new History(SHOWN_VISITS));
    const job = { request: message, program, builder };
    if (message.execution !== null) {
      jobs.set(message.job, job);
      answer(port, { type: 'more', job: message.job });
    } else await finish(job, port);
    return;
  }
  const job = jobs.get(message.job);
  // The job was started in a thread that has since ended.
  if (job === undefined) throw new DiagramError('diagrams_busy', 'the drawing of the diagram was interrupted');
  for (const event of message.events) apply(event, job);
  if (message.last) {
    jobs.delete(message.job);
    await finish(job, port);
  } else answer(port, { type: 'more', job: message.job });
}

function apply({ sequence, type, nodeId, data, atMs }: SerializedEvent, { builder }: Job): void {
  const created_at = new Date(atMs).toISOString();
  builder?.apply({ sequence, type, node_id: nodeId, data: JSON.parse(data) as JsonObject, created_at });
}

async function finish({ request, program, builder }: Job, port: MessagePort): Promise<void> {
  const { format, view } = request;
  const execution = request.execution === null || builder === null ? null : { ...request.execution, overlay: builder.overlay };
  const { nodes = new Map(), end = null } = builder?.history ?? {};
  const visits = new Map([...nodes].map(([node, ofNode]) => [node, ofNode.all(end !== null)] as const));
  const { content, policy, unreadable } = await draw(program, { format, view, execution, visits });
  // A copy with its own buffer, which can be transferred.
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : new Uint8Array(content);
  port.postMessage({ type: 'drawn', job: request.job, bytes, policy, unreadable: [...unreadable] } satisfies ThreadAnswer, [
    bytes.buffer,
  ]);
}

function answer(port: MessagePort, message: ThreadAnswer): void {
  port.postMessage(message);
}

if (parentPort !== null) {
  const port = parentPort;
  port.on('message', (message: ThreadMessage) => {
    handle(message, port).catch((error: unknown) => {
      jobs.delete(message.job);
      const code = error instanceof DiagramError ? error.code : null;
      answer(port, { type: 'failed', job: message.job, code, message: error instanceof Error ? error.message : String(error) });
    });
  });
}
