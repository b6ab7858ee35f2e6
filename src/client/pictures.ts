import type { ExecutionMachineQuery, WorkflowMachineQuery } from '../api/schemas/pictures.ts';
import { type CallOptions, type Download, pathSegment, type RequestOptions, type Transport } from './transport.ts';

export interface PictureFile extends Download {
  /** Characters of a bitmap that no font of the server has, the first hundred: boxes stand for them. */
  readonly unreadable: readonly string[];
}

/** Workflows and executions as pictures. */
export class PictureClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  workflow(id: string, wanted: WorkflowMachineQuery = {}, options?: CallOptions): Promise<PictureFile> {
    return this.#picture(`/workflows/${pathSegment(id)}/machine`, { ...options, query: { ...wanted } });
  }

  /** With `at`: as it was after that event of its log. */
  execution(id: string, wanted: ExecutionMachineQuery = {}, options?: CallOptions): Promise<PictureFile> {
    return this.#picture(`/executions/${pathSegment(id)}/machine`, { ...options, query: { ...wanted } });
  }

  async #picture(path: string, call: RequestOptions): Promise<PictureFile> {
    const picture = await this.#transport.download(path, call);
    return { ...picture, unreadable: [...decodeURIComponent(picture.headers.get('x-jamjet-unreadable') ?? '')] };
  }
}
