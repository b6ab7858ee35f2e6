import { type ActorScope, type AnyActor, type AnyActorLogic, type AnyStateMachine, fromPromise, type Snapshot } from 'xstate';
import { type AuthoredMachine, isBuiltIn, logicKind } from '../../../../machines/authored/machine.ts';
import { type Activity, type ActivityWork, workOfActivity } from './activity.ts';

/** What a machine asks for beside its transitions. */
export interface ActorHost {
  /** An invoked or spawned actor begins. Its result, unless it is stopped before, is sent to it as an event. */
  begin(actor: BegunActor): void;
  /** The result of the actor is not wanted any more. */
  stop(self: object): void;
  /** A custom action is executed. */
  act(action: ExecutedAction): void;
}

export interface BegunActor {
  readonly name: string;
  readonly work: ActivityWork;
  /** The code of the machine itself; null = it has none. */
  readonly creator: ((args: object) => unknown) | null;
  readonly input: unknown;
  readonly scope: PromiseScope;
}

export type PromiseScope = ActorScope<never, { readonly type: string }>;

export interface ExecutedAction {
  readonly name: string;
  readonly work: ActivityWork;
  /** The code of the machine itself; null = it has none. */
  readonly implementation: ((args: object, params: unknown) => unknown) | null;
  readonly args: ActionArgs;
  readonly params: unknown;
}

interface ActionArgs {
  readonly context: object;
  readonly event: { readonly type: string };
  readonly self: { readonly getSnapshot: () => Snapshot<unknown>; readonly send: (event: { readonly type: string }) => void };
  readonly system: AnyActorSystem;
}

type AnyActorSystem = AnyActor['system'];

const hosts = new WeakMap<AnyActorSystem, ActorHost>();

/** Actors of this system ask this host. */
export function hostActorsOf(system: AnyActorSystem, host: ActorHost): void {
  hosts.set(system, host);
}

function hostOf(system: AnyActorSystem): ActorHost {
  const host = hosts.get(system);
  if (host === undefined) throw new TypeError('the actor system has no host');
  return host;
}

const hosted = new WeakMap<AuthoredMachine<Activity>, AnyStateMachine>();

/** The machine with actors and custom actions that ask the host of their system. Its snapshots are those of the original. */
export function hostedMachine(authored: AuthoredMachine<Activity>): AnyStateMachine {
  let machine = hosted.get(authored);
  if (machine === undefined) {
    machine = withHost(authored.machine, authored.activities);
    hosted.set(authored, machine);
  }
  return machine;
}

type Activities = AuthoredMachine<Activity>['activities'];

function withHost(machine: AnyStateMachine, activities: Activities): AnyStateMachine {
  const { actors, actions, guards, delays } = machine.implementations as unknown as Implementations;
  const names = Object.keys(activities);
  const hostedActors = [...new Set([...Object.keys(actors), ...names])].map((name): [string, unknown] => [
    name,
    hostedLogic(name, actors[name], activities),
  ]);
  const hostedActions = [...new Set([...Object.keys(actions), ...names])].map((name): [string, unknown] => {
    const action = actions[name];
    return [name, isBuiltIn(action) ? action : hostedAction(name, action as ExecutedAction['implementation'], activities)];
  });
  const Machine = machine.constructor as new (config: object, implementations: object) => AnyStateMachine;
  const implementations = {
    actors: Object.fromEntries(hostedActors),
    actions: Object.fromEntries(hostedActions),
    guards,
    delays,
  };
  return new Machine(hostedConfig(machine.config as NodeConfig, machine.id, activities), implementations);
}

interface Implementations {
  readonly actors: Readonly<Record<string, unknown>>;
  readonly actions: Readonly<Record<string, unknown>>;
  readonly guards: unknown;
  readonly delays: unknown;
}

interface NodeConfig {
  readonly id?: string | undefined;
  readonly invoke?: unknown;
  readonly states?: Readonly<Record<string, NodeConfig>> | undefined;
}

/** Actors without a name are in the configuration itself. */
function hostedConfig(config: NodeConfig, place: string, activities: Activities): object {
  const { invoke, states } = config;
  const invokes = (invoke === undefined ? [] : [invoke].flat()) as unknown as readonly {
    readonly id?: string;
    readonly src: unknown;
  }[];
  const hostedInvokes = invokes.map((one) =>
    typeof one.src === 'string' ? one : Object.assign({}, one, { src: hostedLogic(one.id ?? place, one.src, activities) }),
  );
  const children = Object.entries(states ?? {}).map(([key, child]): [string, object] => [
    key,
    hostedConfig(child, child.id ?? `${place}.${key}`, activities),
  ]);
  return Object.assign(
    {},
    config,
    invoke === undefined ? {} : { invoke: Array.isArray(invoke) ? hostedInvokes : hostedInvokes[0] },
    states === undefined ? {} : { states: Object.fromEntries(children) },
  );
}

function hostedLogic(name: string, logic: unknown, activities: Activities): unknown {
  const activity = Object.hasOwn(activities, name) ? activities[name] : undefined;
  if (activity === undefined) {
    const kind = logicKind(logic);
    if (kind === 'machine') return withHost(logic as AnyStateMachine, activities);
    if (kind === 'transition') return logic;
  }
  const isPromise = logicKind(logic) === 'promise';
  const original = (isPromise ? logic : fromPromise(async () => null)) as PromiseLogic;
  const creator = isPromise ? original.config : null;
  return promiseLogic(original, { name, work: workOfActivity(activity), creator });
}

type PromiseLogic = AnyActorLogic & { readonly config: BegunActor['creator'] };

/** Snapshots and events are those of XState's promise logic. */
function promiseLogic(original: PromiseLogic, actor: Pick<BegunActor, 'name' | 'work' | 'creator'>): AnyActorLogic {
  return Object.assign({}, original, {
    start: (snapshot: Snapshot<unknown> & { readonly input?: unknown }, scope: PromiseScope) => {
      if (snapshot.status === 'active') hostOf(scope.system).begin({ ...actor, input: snapshot.input, scope });
    },
    transition: (snapshot: Snapshot<unknown>, event: { readonly type: string }, scope: PromiseScope) => {
      if (event.type === 'xstate.stop' && snapshot.status === 'active') hostOf(scope.system).stop(scope.self);
      return original.transition(snapshot, event, scope);
    },
  });
}

function hostedAction(name: string, implementation: ExecutedAction['implementation'] | undefined, activities: Activities) {
  const work = workOfActivity(Object.hasOwn(activities, name) ? activities[name] : undefined);
  return (args: ActionArgs, params: unknown): void =>
    hostOf(args.system).act({ name, work, implementation: implementation ?? null, args, params });
}
