import type { Database, Statement } from 'better-sqlite3';
import { sameContext } from '../../audit/digest.ts';
import type { StoredEvent } from '../../log/stored-event.ts';
import type { StoredWrite } from '../../well-formed.ts';
import { appendEvents } from '../queries/log.ts';

/** Events per statement; a longer run takes several. */
const EVENTS_PER_STATEMENT = 8;

/** Appends events to the log. */
export class EventLog {
  readonly #append: readonly Statement[];

  constructor(db: Database) {
    this.#append = Array.from({ length: EVENTS_PER_STATEMENT }, (_, index) => db.prepare(appendEvents(index + 1)));
  }

  append({ id, tenantId, events }: StoredWrite): void {
    let run: StoredEvent[] = [];
    for (const event of events) {
      const [first] = run;
      if (first !== undefined && (run.length === EVENTS_PER_STATEMENT || !sameContext(first, event))) {
        this.#appendRun(id, tenantId, run);
        run = [];
      }
      run.push(event);
    }
    this.#appendRun(id, tenantId, run);
  }

  /** Events that share time, actor and request, at most EVENTS_PER_STATEMENT. */
  #appendRun(id: string, tenantId: string, run: readonly StoredEvent[]): void {
    const [first] = run;
    if (first === undefined) return;
    const values: (string | number | null)[] = [id, tenantId];
    values.push(first.atMs, first.actorId, first.actorType, first.onBehalfOf, first.request);
    for (const event of run) values.push(event.seq, event.type, event.nodeId, event.data);
    this.#append[run.length - 1]?.run(...values);
  }
}
