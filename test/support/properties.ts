import fc from 'fast-check';

// Property tests use the same cases in every run, so that a failure is caused by a change. `FAST_CHECK_SEED=N` uses others, as `.ci/run` does.
const { FAST_CHECK_SEED } = process.env;
fc.configureGlobal({ seed: Number(FAST_CHECK_SEED ?? 20_261_125) });

/** Is this `npm run test:all`? It tries all cases of a property, and has tests that `npm test` leaves out. */
export const TRIES_ALL = process.env.SAMPLES === 'all';
const SHARE = TRIES_ALL ? 1 : 1 / 3;

/** How many of `all` cases a property is tried with. */
export function sampleOf(all: number): number {
  return Math.ceil(all * SHARE);
}

/** How many of the usual cases of a property must be of some sort, so that it says something. Of other cases that is not known. */
export function oftenIn(all: number): number {
  return FAST_CHECK_SEED === undefined ? sampleOf(all) : 0;
}
