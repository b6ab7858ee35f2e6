import type { ExecutionMachineQuery, WorkflowMachineQuery } from '../api/schemas/diagrams.ts';
import { type CallOptions, type Download, pathSegment, type RequestOptions, type Transport } from './transport.ts';

/** A picture of a workflow or an execution. */
export interface DiagramFile extends Download {
  /** Characters that no font of the server contains and that are drawn as boxes; at most the first hundred. */
  readonly unreadable: readonly string[];
}

/** Diagrams of workflows and executions. */
export class DiagramClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Draws a registered workflow, by default the latest version as Mermaid. */
  workflow(id: string, wanted: WorkflowMachineQuery = {}, options?: CallOptions): Promise<DiagramFile> {
    return this.#diagram(`/workflows/${pathSegment(id)}/machine`, { ...options, query: { ...wanted } });
  }

  /** Draws an execution; with `at`, as it was after that event sequence. */
  execution(id: string, wanted: ExecutionMachineQuery = {}, options?: CallOptions): Promise<DiagramFile> {
    return this.#diagram(`/executions/${pathSegment(id)}/machine`, { ...options, query: { ...wanted } });
  }

  async #diagram(path: string, call: RequestOptions): Promise<DiagramFile> {
    const diagram = await this.#transport.download(path, call);
    return { ...diagram, unreadable: [...decodeURIComponent(diagram.headers.get('x-jamjet-unreadable') ?? '')] };
  }
}
