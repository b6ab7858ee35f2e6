import fc from 'fast-check';

// Property tests try the same cases on every run, so that a failure is the change's. `FAST_CHECK_SEED=N` tries others.
fc.configureGlobal({ seed: Number(process.env.FAST_CHECK_SEED ?? 20_261_125) });
