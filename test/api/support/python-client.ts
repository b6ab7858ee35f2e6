/** The requests of JamJet's Python SDK, and how it reads the replies. */
export class PythonClient {
  readonly #url: string;
  readonly #token: string;

  /** `url`: as for `--runtime`, the server and `/compat`. */
  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  health = () => this.#json('GET', '/health');
  createWorkflow = (ir: object) => this.#json('POST', '/workflows', { ir });
  startExecution = (workflow_id: string, input: unknown, workflow_version?: string) =>
    this.#json('POST', '/executions', { workflow_id, input, ...(workflow_version ? { workflow_version } : {}) });
  getExecution = (id: string) => this.#json('GET', `/executions/${id}`);
  listExecutions = (status?: string) =>
    this.#json('GET', `/executions?${status === undefined ? '' : `status=${status}&`}limit=50&offset=0`);
  cancelExecution = (id: string) => this.#json('POST', `/executions/${id}/cancel`);
  getEvents = (id: string) => this.#json('GET', `/executions/${id}/events`);
  listApprovals = (id: string) => this.#json('GET', `/executions/${id}/approvals`);
  /** Leaves out falsy fields, and sends no `user_id`. */
  approve = (id: string, decision: string, node_id?: string, comment?: string, state_patch?: object) =>
    this.#json('POST', `/executions/${id}/approve`, {
      decision,
      ...(node_id ? { node_id } : {}),
      ...(comment ? { comment } : {}),
      ...(state_patch && Object.keys(state_patch).length > 0 ? { state_patch } : {}),
    });
  sendExternalEvent = (id: string, correlation_key: string, payload: unknown) =>
    this.#json('POST', `/executions/${id}/external-event`, { correlation_key, payload });
  claimWorkItem = (worker_id: string, queue_types: readonly string[]) =>
    this.#json('POST', '/work-items/claim', { worker_id, queue_types });
  completeWorkItem = (id: string, body: object) => this.#send('POST', `/work-items/${id}/complete`, body);
  failWorkItem = (id: string, error: string) => this.#send('POST', `/work-items/${id}/fail`, { error });
  heartbeatWorkItem = (id: string, worker_id: string, lease_fence: number) =>
    this.#send('POST', `/work-items/${id}/heartbeat`, { worker_id, lease_fence });
  workers = () => this.#json('GET', '/workers');
  listAgents = () => this.#json('GET', '/agents');

  /** One iteration of the worker: claims, calls, reports. A 409 means that the lease is lost. */
  async work<P>(
    worker: string,
    queues: readonly string[],
    call: (payload: P) => unknown,
  ): Promise<'idle' | 'done' | 'lost' | 'failed'> {
    const { claimed, work_item } = await this.claimWorkItem(worker, queues);
    if (!claimed) return 'idle';
    const { id, execution_id, node_id, payload, lease_fence = 0 } = work_item;
    if (!id || !execution_id || !node_id) throw new Error('KeyError');
    await this.heartbeatWorkItem(id, worker, lease_fence);
    try {
      const output = call(payload);
      const body = { output, state_patch: output, execution_id, node_id, duration_ms: 1, lease_fence };
      const { status } = await this.completeWorkItem(id, body);
      if (status === 409) return 'lost';
      if (status >= 400) throw new Error(`HTTP ${status}`);
      return 'done';
    } catch (error) {
      await this.failWorkItem(id, String(error));
      return 'failed';
    }
  }

  /** `Agent.run_durable`: registers, starts, waits for the end, and reads the answer from the state. */
  async runDurable(ir: { readonly workflow_id: string }, input: object, pause: () => Promise<void>): Promise<string> {
    await this.createWorkflow(ir);
    const { execution_id } = await this.startExecution(ir.workflow_id, input);
    if (!execution_id) throw new Error('no execution_id');
    let execution = await this.getExecution(execution_id);
    while (!['completed', 'failed', 'cancelled', 'limit_exceeded'].includes(execution.status)) {
      await pause();
      execution = await this.getExecution(execution_id);
    }
    const { status, detail, current_state } = execution;
    if (status !== 'completed') throw new Error(detail || status);
    const spoken = (current_state.messages ?? []).filter(({ role }: { role: string }) => role === 'assistant');
    return current_state.last_model_output || spoken.at(-1)?.content || '';
  }

  /** `jamjet events`: one line per event. */
  async eventLines(id: string): Promise<readonly string[]> {
    const { events } = await this.getEvents(id);
    return events.map(
      ({ sequence, kind, created_at }: { sequence: number; kind: { type: string; node_id?: string }; created_at: string }) => {
        if (Number.isNaN(Date.parse(created_at))) throw new Error('created_at');
        return `${sequence} ${kind.type} ${kind.node_id ?? ''}`.trim();
      },
    );
  }

  async #json(method: string, path: string, body?: object) {
    const { status, text } = await this.#send(method, path, body);
    if (status >= 400) throw Object.assign(new Error(`HTTPStatusError ${status}`), { status, body: JSON.parse(text) });
    return JSON.parse(text);
  }

  async #send(method: string, path: string, body?: object): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const warnings = response.headers.get('x-jamjet-warnings');
    if (warnings !== null) throw new Error(`the server does not know all of the SDK's fields: ${warnings}`);
    return { status: response.status, text: await response.text() };
  }
}
