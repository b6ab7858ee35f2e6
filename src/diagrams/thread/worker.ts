// The thread that draws diagrams: compiling and drawing a workflow of thousands of nodes takes seconds.
import { type MessagePort, parentPort } from 'node:worker_threads';
import { LRUCache } from 'lru-cache';
import { compile } from '../../../machines/compile/index.ts';
import type { EventType } from '../../../machines/events/index.ts';
import { normalise } from '../../../machines/ir/normalise.ts';
import type { JsonObject } from '../../../machines/json.ts';
import type { Program } from '../../../machines/step/program.ts';
import { OverlayBuilder } from '../../../machines/views/overlay-builder.ts';
import { NodeVisits } from '../../views/node-visits.ts';
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
  /** The visits of a page; null = they are not shown. */
  readonly visits: Map<string, NodeVisits> | null;
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
    const job = {
      request: message,
      program,
      builder: message.execution === null ? null : new OverlayBuilder(program),
      visits: message.format === 'html' ? new Map<string, NodeVisits>() : null,
    };
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

function apply({ sequence, type, nodeId, data, atMs }: SerializedEvent, { builder, visits }: Job): void {
  const parsed = JSON.parse(data) as JsonObject;
  builder?.apply({ sequence, type: type as EventType, node_id: nodeId, data: parsed, at_ms: atMs });
  if (visits === null || nodeId === null) return;
  const ofNode = visits.get(nodeId) ?? new NodeVisits(nodeId, SHOWN_VISITS);
  visits.set(nodeId, ofNode);
  ofNode.apply({ sequence, type, node_id: nodeId, data: parsed, created_at: new Date(atMs).toISOString() });
}

async function finish({ request, program, builder, visits: byNode }: Job, port: MessagePort): Promise<void> {
  const { format, view } = request;
  const execution = request.execution === null || builder === null ? null : { ...request.execution, overlay: builder.overlay };
  const hasEnded = builder?.overlay.ended === true;
  const visits = new Map([...(byNode ?? [])].map(([node, ofNode]) => [node, ofNode.all(hasEnded)] as const));
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
