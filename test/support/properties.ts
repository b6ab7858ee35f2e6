import fc from 'fast-check';

// Property tests use the same cases in every run, so that a failure is caused by a change. `FAST_CHECK_SEED=N` uses other cases.
fc.configureGlobal({ seed: Number(process.env.FAST_CHECK_SEED ?? 20_261_125) });
