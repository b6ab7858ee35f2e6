import type { ActionContext } from '../port/control.ts';
import type { Script } from './script.ts';
import type { Dialect, Statement, Values } from './statement.ts';

/** Single statements, each in its own transaction. */
export interface Statements {
  all<Row>(statement: Statement<Row>, values?: Values): Promise<readonly Row[]>;
  /** The first row; null = none. */
  get<Row>(statement: Statement<Row>, values?: Values): Promise<Row | null>;
}

/** The event of an action on the control plane: names and choices, never a secret or its hash. */
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

/** What an engine provides to the resources. Errors reject as a `StoreError`. */
export interface ResourceDatabase {
  readonly engine: Dialect['engine'];
  /** Reads of one tenant: PostgreSQL's row-level security hides the rows of others, whatever the statement says. */
  tenant(tenantId: string): Statements;
  /** For the runtime itself: statements across tenants, writes included. */
  readonly runtime: Statements & {
    /** Returns the number of rows inserted, updated or deleted. */
    run(statement: Statement<unknown>, values?: Values): Promise<number>;
    /** For a statement that may take minutes, where that keeps nothing else waiting; PostgreSQL executes it on a connection of its own. */
    allWithoutTimeout<Row>(statement: Statement<Row>, values?: Values): Promise<readonly Row[]>;
  };
  /** One transaction; when the script throws, it is rolled back. */
  transaction<T>(script: () => Script<T>): Promise<T>;
  /**
   * One action on the control plane: its changes, its event and its audit block in one transaction. `seq` is the sequence that the event takes in
   * the tenant's control log. When the script throws, everything is rolled back; PostgreSQL may run it again from the beginning.
   */
  act<T>(context: ActionContext, script: (seq: number) => Script<ActionWithResult<T>>): Promise<T>;
  act(context: ActionContext, script: (seq: number) => Script<Action>): Promise<void>;
  /** A text as the engine stores and looks it up in an index. */
  indexKey(text: string): string;
}
