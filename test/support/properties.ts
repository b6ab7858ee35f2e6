import fc from 'fast-check';

// Property tests use the same cases in every run, so that a failure is caused by a change. `FAST_CHECK_SEED=N` uses other cases.
fc.configureGlobal({ seed: Number(process.env.FAST_CHECK_SEED ?? 20_261_125) });

/** Is this `npm run test:all`? It tries all cases of a property, and has tests that `npm test` leaves out. */
export const TRIES_ALL = process.env.SAMPLES === 'all';
const SHARE = TRIES_ALL ? 1 : 1 / 3;

/** How many of `all` cases a property is tried with. */
export function sampleOf(all: number): number {
  return Math.ceil(all * SHARE);
}
