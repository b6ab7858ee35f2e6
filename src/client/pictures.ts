import type { ExecutionMachineQuery, WorkflowMachineQuery } from '../api/schemas/pictures.ts';
import { type CallOptions, type Download, segment, type Transport } from './transport.ts';

/** Workflows and executions as pictures. */
export class PictureClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  workflow(id: string, wanted: WorkflowMachineQuery = {}, options?: CallOptions): Promise<Download> {
    return this.#transport.download(`/workflows/${segment(id)}/machine`, { ...options, query: { ...wanted } });
  }

  /** With `at`: as it was after that event of its log. */
  execution(id: string, wanted: ExecutionMachineQuery = {}, options?: CallOptions): Promise<Download> {
    return this.#transport.download(`/executions/${segment(id)}/machine`, { ...options, query: { ...wanted } });
  }
}
