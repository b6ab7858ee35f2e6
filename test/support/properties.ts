import fc from 'fast-check';

// Property tests use the same cases in every run, so that a failure is caused by a change. `FAST_CHECK_SEED=N` uses other cases.
fc.configureGlobal({ seed: Number(process.env.FAST_CHECK_SEED ?? 20_261_125) });

/** The part of the cases that `npm test` tries; `npm run test:all` tries all. */
const SHARE = process.env.SAMPLES === 'all' ? 1 : 1 / 3;

/** How many of `all` cases a property is tried with. */
export function sampleOf(all: number): number {
  return Math.ceil(all * SHARE);
}
