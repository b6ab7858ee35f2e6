import fc from 'fast-check';

// Property tests use the same cases in every run, so that a failure is caused by a change. `FAST_CHECK_SEED=N` uses others, as `.ci/run` does.
const { FAST_CHECK_SEED } = process.env;
const SEED = Number(FAST_CHECK_SEED ?? 20_261_125);
fc.configureGlobal({ seed: SEED });

/** Is this `npm run test:all`? It tries all cases of a property, and has tests that `npm test` leaves out. */
export const TRIES_ALL = process.env.SAMPLES === 'all';
const SHARE = TRIES_ALL ? 1 : 1 / 8;

/** How many of `all` cases a property is tried with. `least`: so many that each sort of case is among them. */
export function sampleOf(all: number, least = 1): number {
  return Math.max(least, Math.ceil(all * SHARE));
}

/** How many of the usual cases of a property must be of some sort, so that it says something. Of other cases that is not known. */
export function oftenIn(all: number): number {
  return FAST_CHECK_SEED === undefined ? sampleOf(all) : 0;
}

/** One of `every` variants of a test; which ones is chosen by the seed. */
export function someOf<Variant>(all: readonly Variant[], every = 3): readonly Variant[] {
  return TRIES_ALL ? all : all.filter((_, i) => i % every === SEED % every);
}
