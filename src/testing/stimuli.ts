import type { Json } from '../../machines/json.ts';
import type { ActiveNode } from '../../machines/run.ts';
import { activeOf } from '../../machines/step.ts';
import { fire, type Happening, type Scene, send, type World } from './scene.ts';
import type { Wishes } from './wishes.ts';

/** Something that may happen next, and what it leads to. */
export interface Possible {
  readonly node: string;
  readonly happening: Happening;
}

/** The user that decides in explored runs. */
const DECIDER = 'tester';

/** Everything that may happen next. One failure that nobody handles is enough for a run. */
export function possibilities(world: World, wishes: Wishes, scene: Scene): readonly Possible[] {
  return movable(world, scene).flatMap((active) =>
    happenings(world, wishes, scene, active).flatMap((happening) =>
      happening === null ? [] : [{ node: active.node, happening }],
    ),
  );
}

/**
 * The nodes that are played next. Branches that do not race each other are played one after the other, in the order in which they were
 * written: in which order they end makes no difference where they meet. Sources of a first-wins join are played in every order.
 */
export function movable({ program }: World, { run }: Scene): readonly ActiveNode[] {
  const { graph } = program.statics;
  const active = activeOf(program, run);
  const joins = graph.reachable.filter((node) => graph.isFirstJoin(node));
  const races = ({ node }: ActiveNode): boolean => {
    const index = graph.indexOf(node) ?? 0;
    return joins.some((join) => graph.region(join).has(index) || graph.sources(join).includes(index));
  };
  const calm = active.find((candidate) => !races(candidate));
  return calm === undefined ? active : [calm];
}

function happenings(world: World, wishes: Wishes, scene: Scene, active: ActiveNode): readonly (Happening | null)[] {
  const { node, activation, attempt, phase, childId } = active;
  const visit = { node, activation, attempt };
  const outputs: readonly Json[] = wishes.outputs.get(node) ?? [{}];
  switch (phase) {
    case 'running':
    case 'queued':
      return [
        ...outputs.map((output) => send(world, scene, { type: 'done', ...visit, output, durationMs: 0 })),
        ...failures(world, scene, active),
      ];
    case 'child': {
      const news = { type: 'child', ...visit, childId: childId ?? '', childWorkflowId: node } as const;
      return [
        ...outputs.map((result) => send(world, scene, { ...news, change: { status: 'completed', result } })),
        ...(mayFail(world, scene, node) ? [send(world, scene, { ...news, change: { status: 'failed', error: 'failed' } })] : []),
      ];
    }
    case 'backoff':
      return [fire(world, scene, node)];
    case 'held':
    case 'approval':
      return [...decisions(world, scene, active), fire(world, scene, node)];
    case 'waiting':
      return waits(world, wishes, scene, active);
    default:
      return [];
  }
}

/** The first attempt fails in a way worth another, where there is one; later ones for good. */
function failures(world: World, scene: Scene, { node, activation, attempt }: ActiveNode): readonly (Happening | null)[] {
  const { max_attempts, retryable_on } = world.program.statics.nodeOf(node).retry;
  const retryable = attempt === 0 && max_attempts > 1;
  if (!retryable && !mayFail(world, scene, node)) return [];
  const [errorClass] = retryable_on;
  const named = errorClass === undefined ? {} : { errorClass };
  return [send(world, scene, { type: 'fail', node, activation, attempt, error: 'failed', retryable, ...named })];
}

function decisions(world: World, scene: Scene, { node, phase }: ActiveNode): readonly (Happening | null)[] {
  const given = { type: 'decide', node, userId: DECIDER, comment: null, patch: null } as const;
  const approved = send(world, scene, { ...given, decision: 'approved' });
  const ending = phase === 'held' ? 'failed' : 'rejected';
  if (!mayFail(world, scene, node, ending)) return [approved];
  return [approved, send(world, scene, { ...given, decision: 'rejected' })];
}

/** The event in time; the same event too late, after the time is over. That it comes early is tried when the wait begins. */
function waits(world: World, wishes: Wishes, scene: Scene, { node, waitsFor }: ActiveNode): readonly (Happening | null)[] {
  const timedOut = mayFail(world, scene, node, 'timeout') || waitsFor === null ? fire(world, scene, node) : null;
  if (waitsFor === null) return [timedOut];
  const payloads: readonly Json[] = wishes.outputs.get(node) ?? [{}];
  const inTime = payloads.map((payload) => send(world, scene, { type: 'event', key: waitsFor, payload }));
  return [...inTime, timedOut];
}

function mayFail(world: World, { run }: Scene, node: string, ending: 'failed' | 'rejected' | 'timeout' = 'failed'): boolean {
  const isHandled = world.ways.of(node, ending).every(({ alternative }) => alternative !== null);
  const context: { readonly failures?: readonly string[] } = run.snapshot.context;
  return isHandled || (context.failures ?? []).length === 0;
}
