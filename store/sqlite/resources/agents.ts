import type { Database, Statement } from 'better-sqlite3';
import type { ActionContext } from '../../port/control.ts';
import {
  type AgentFilter,
  type AgentRow,
  type AgentStore,
  type AgentWrite,
  type TraceRow,
  traceOf,
} from '../../port/resources/agents.ts';
import type { ControlLog } from '../control-log.ts';
import { guarded } from '../errors.ts';
import * as sql from '../queries/agents.ts';

type ListParameters = Omit<AgentFilter, 'traits'> & { readonly tenantId: string; readonly traits: string };

export class SqliteAgents implements AgentStore {
  readonly #log: ControlLog;
  readonly #byId: Statement<[string, string], AgentRow>;
  readonly #byUuid: Statement<[string, string], AgentRow>;
  readonly #all: Statement<[ListParameters], AgentRow>;
  readonly #ofStatus: Statement<[ListParameters], AgentRow>;
  readonly #create: Statement;
  readonly #change: Statement;
  readonly #forgetTraits: Statement;
  readonly #addTrait: Statement;
  readonly #addEvent: Statement;
  readonly #heartbeat: Statement;
  readonly #doneTo: Statement<[string, string, number], TraceRow>;
  readonly #controlledBy: Statement<[string, string, number], TraceRow>;
  readonly #doneBy: Statement<[string, string, number], TraceRow>;

  constructor(db: Database, log: ControlLog) {
    this.#log = log;
    this.#byId = db.prepare(sql.AGENT_BY_ID);
    this.#byUuid = db.prepare(sql.AGENT_BY_UUID);
    this.#all = db.prepare(sql.AGENTS);
    this.#ofStatus = db.prepare(sql.AGENTS_OF_STATUS);
    this.#create = db.prepare(sql.CREATE_AGENT);
    this.#change = db.prepare(sql.CHANGE_AGENT);
    this.#forgetTraits = db.prepare(sql.FORGET_TRAITS);
    this.#addTrait = db.prepare(sql.ADD_TRAIT);
    this.#addEvent = db.prepare(sql.ADD_AGENT_EVENT);
    this.#heartbeat = db.prepare(sql.AGENT_HEARTBEAT);
    this.#doneTo = db.prepare(sql.DONE_TO_AGENT);
    this.#controlledBy = db.prepare(sql.CONTROLLED_BY_AGENT);
    this.#doneBy = db.prepare(sql.DONE_BY_AGENT);
  }

  get(tenantId: string, idOrUuid: string) {
    return guarded(() => this.#byId.get(tenantId, idOrUuid) ?? this.#byUuid.get(tenantId, idOrUuid) ?? null);
  }

  list(tenantId: string, filter: AgentFilter) {
    const parameters = { ...filter, tenantId, traits: JSON.stringify(filter.traits) };
    return guarded(() => (filter.status === undefined ? this.#all : this.#ofStatus).all(parameters));
  }

  put(write: AgentWrite, context: ActionContext) {
    return guarded(() => {
      let written = false;
      this.#log.act(context, (seq) => {
        written = this.#write(write, context.tenantId, seq);
        return written ? write.event : null;
      });
      return written;
    });
  }

  #write({ agent, traits }: AgentWrite, tenantId: string, seq: number): boolean {
    const { changes } = (agent.version === 1 ? this.#create : this.#change).run({ ...agent, tenantId, seq });
    if (changes === 0) return false;
    this.#forgetTraits.run(tenantId, agent.id);
    for (const trait of traits) this.#addTrait.run(tenantId, agent.id, trait);
    this.#addEvent.run(tenantId, agent.id, seq);
    return true;
  }

  heartbeat(tenantId: string, id: string, atMs: number) {
    return guarded(() => this.#heartbeat.run({ tenantId, id, atMs }).changes > 0);
  }

  trace(tenantId: string, agent: { readonly id: string; readonly actorId: string }, limit: number) {
    return guarded(() => {
      const to = this.#doneTo.all(tenantId, agent.id, limit);
      const controlled = this.#controlledBy.all(tenantId, agent.actorId, limit);
      const done = this.#doneBy.all(tenantId, agent.actorId, limit);
      return traceOf({ to, controlled, done }, limit);
    });
  }
}
