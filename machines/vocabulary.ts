import { BACKOFF } from './compile/names.ts';
import { passesOn } from './compile/outputs.ts';
import type {
  At,
  ChildIs,
  Closed,
  Completes,
  Decided,
  Fails,
  Follow,
  InSection,
  OnTrack,
  Retries,
  Settled,
  When,
} from './compile/parameters.ts';
import type { Statics } from './compile/statics.ts';
import { truthy } from './expression/values.ts';
import { isRetried } from './ir/error-classes.ts';
import { assignment } from './step/assignment.ts';
import { type Context, languageOf, own, rulesOf } from './step/context.ts';
import { Draft } from './step/draft.ts';
import { allow, childNews, claimed, complete, exceed, fail, failInstead, pass, retry } from './step/endings.ts';
import { FIRST_RULES } from './step/rules.ts';
import { letterOf } from './step/section-draft.ts';
import type { Stimulus } from './step/stimulus.ts';

type Given = { readonly context: Context; readonly event: Stimulus };

/**
 * The fixed vocabulary of compiled machines. Configs name these guards, actions and the one delay, with parameters; so a config is
 * plain JSON that can be exported, compared and drawn. Guards read the context, actions make the next one; neither does anything
 * else. `begin` alone is not carried out here: the step does, in node order, once everything else has settled.
 */
export function vocabulary(statics: Statics) {
  const action = <P>(change: (draft: Draft, stimulus: Stimulus, params: P) => void) =>
    assignment((context: Context, stimulus: Stimulus, params: P) => {
      if (context.halt !== null) return context;
      const draft = new Draft(statics, context);
      change(draft, stimulus, params);
      return draft.done();
    });
  /** A node that chooses among its ways does so when it completes: what it completes to is not kept when the choice is too much work. */
  const completion = (change: (draft: Draft, stimulus: Stimulus, params: Completes) => void) =>
    assignment((context: Context, stimulus: Stimulus, params: Completes) => {
      if (context.halt !== null) return context;
      const draft = new Draft(statics, context);
      change(draft, stimulus, params);
      if (params.choosing !== true) return draft.done();
      const completed = draft.done();
      choose(statics, completed, params.node);
      if (!statics.evaluation.hasExceeded(params.node)) return completed;
      const failed = new Draft(statics, context);
      failInstead(failed, stimulus, params.node);
      return failed.done();
    });
  const letter = (context: Context, { section, node }: InSection): string => {
    const table = statics.sections.get(section);
    const state = own(context.sections, section);
    const index = statics.graph.indexOf(node);
    return table === undefined || state === undefined || index === undefined ? '.' : letterOf(table, state, index);
  };
  return {
    guards: {
      at: ({ event }: Given, { node }: At) => 'node' in event && event.node === node,
      retry: ({ context, event }: Given, { node, max, on, at_once }: Retries) =>
        event.type === 'fail' &&
        event.node === node &&
        (at_once !== true || event.delayMs === 0) &&
        (own(context.active, node)?.attempt ?? 0) + 1 < max &&
        isRetried(on, event),
      when: ({ context }: Given, { node, expr }: When) => {
        const chosen = statics.evaluation.chosen(node);
        return chosen === undefined ? holds(statics, context, node, expr) : chosen === expr;
      },
      exceeded: (_: Given, { node }: At) => statics.evaluation.hasExceeded(node),
      decided: ({ event }: Given, { node, as }: Decided) =>
        event.type === 'decide' && event.node === node && event.decision === as,
      childIs: ({ event }: Given, { node, status }: ChildIs) =>
        event.type === 'child' && event.node === node && event.change.status === status,
      anyFailed: ({ context }: Given) => context.failures.length > 0 || context.halt !== null,
      /** The step limit has been reached, or a budget, before this node was. */
      halted: ({ context }: Given) => context.halt !== null && rulesOf(context) > FIRST_RULES,
      limitReached: ({ context }: Given) => context.halt?.status === 'limit_exceeded',
      closed: ({ context }: Given, { fork, of, as }: Closed) => {
        const [joined, ended, failed] = own(context.forks, fork) ?? [0, 0, 0];
        if (joined + ended + failed < of) return false;
        return as === undefined || (as === 'joined' ? joined : failed) > 0;
      },
      ready: ({ context }: Given, params: InSection) => letter(context, params) === 'r',
      over: ({ context }: Given, params: InSection) => 'xc'.includes(letter(context, params)),
      lost: ({ context }: Given, params: InSection) => letter(context, params) === 'c',
      settled: ({ context }: Given, { section, failed }: Settled) => {
        const state = own(context.sections, section);
        if (state === undefined || context.halt !== null) return false;
        if (state.running > 0 || state.ready.length > 0 || state.rewinding.length > 0) return false;
        const inside = statics.insides.get(section);
        return failed !== true || context.failures.some((node) => inside?.has(statics.graph.indexOf(node) ?? 0) === true);
      },
      goesRound: ({ context }: Given, { section, track, loop }: OnTrack) =>
        own(context.sections, section)?.rewinding.includes(track) === true && own(context.sections, section)?.loop === loop,
    },
    actions: {
      go: action<{ follow?: Follow }>((draft, _, { follow }) => draft.follow(null, follow)),
      route: action<Completes>((draft, _, { node, follow }) => draft.follow(node, follow)),
      complete: completion(complete),
      fail: action<Fails>(fail),
      exceed: action<Fails>(exceed),
      retry: action<At>((draft, stimulus, { node }) => retry(draft, stimulus, node)),
      pass: completion((draft, _, params) => pass(draft, params)),
      allow: action<At>((draft, stimulus, { node }) => allow(draft, stimulus, node)),
      claimed: action<At>((draft, stimulus, { node }) => claimed(draft, stimulus, node)),
      childNews: action<At>((draft, stimulus, { node }) => childNews(draft, stimulus, node)),
      enter: action<InSection>((draft, _, { section, node }) => draft.section(section).entered(node)),
      begin: () => undefined,
      rewound: action<OnTrack>((draft, _, { section, track }) => draft.section(section).rewound(track)),
    },
    delays: {
      [BACKOFF]: ({ event }: Given) => (event.type === 'fail' ? event.delayMs : 0),
    },
  };
}

/** Evaluates the conditions of a node that has completed, up to the one that holds. */
function choose(statics: Statics, context: Context, node: string): void {
  const held = statics.choices.get(node)?.find((text) => holds(statics, context, node, text));
  statics.evaluation.choose(node, held ?? null);
}

/** Conditions of a condition node look at what reached it, those of other nodes at their own output. */
function holds(statics: Statics, context: Context, node: string, text: string): boolean {
  const index = statics.graph.indexOf(node) ?? 0;
  const received = passesOn(statics.graph, index) ? own(context.fed, node)?.at(-1)?.[1] : undefined;
  const output = own(context.outputs, node) ?? received ?? null;
  const { state, input, env } = context;
  const scope = { state, output, input, env, language: languageOf(context) };
  const { value, error } = statics.evaluation.condition(node, statics.expression(text), scope);
  return error === undefined && truthy(value);
}
