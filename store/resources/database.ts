import type { ActionContext } from '../port/control.ts';
import type { Script } from './script.ts';
import type { Dialect, Statement, Values } from './statement.ts';

/** Single statements, each a transaction of its own. */
export interface Statements {
  all<Row>(statement: Statement<Row>, values?: Values): Promise<readonly Row[]>;
  /** The first row; null = none. */
  get<Row>(statement: Statement<Row>, values?: Values): Promise<Row | null>;
}

/** What the control log keeps of an action: names and choices, never a secret or its hash. */
export interface ControlEvent {
  /** snake_case. */
  readonly type: string;
  /** JSON object text. */
  readonly data: string;
}

export interface Action {
  /** Null = nothing was changed, and nothing is logged. */
  readonly event: ControlEvent | null;
}

export interface ActionWithResult<T> extends Action {
  readonly result: T;
}

/** What an engine offers to the resources. What fails rejects as a `StoreError`. */
export interface ResourceDatabase {
  readonly engine: Dialect['engine'];
  /** Reads of one tenant: PostgreSQL's row-level security hides the rows of others, whatever the statement says. */
  tenant(tenantId: string): Statements;
  /** For the runtime itself: across tenants. Writes, too. */
  readonly runtime: Statements & {
    /** Answers how many rows were inserted, updated or deleted. */
    run(statement: Statement<unknown>, values?: Values): Promise<number>;
  };
  /** One transaction; what the script throws undoes it. */
  transaction<T>(script: () => Script<T>): Promise<T>;
  /**
   * One action on the control plane: its changes, its event and its audit block in one transaction. `seq` is the sequence that the event takes in
   * the tenant's control log. What the script throws undoes everything; PostgreSQL may run it again from the beginning.
   */
  act<T>(context: ActionContext, script: (seq: number) => Script<ActionWithResult<T>>): Promise<T>;
  act(context: ActionContext, script: (seq: number) => Script<Action>): Promise<void>;
  /** A text that rows are found by, as the engine stores and looks it up. */
  indexKey(text: string): string;
}
