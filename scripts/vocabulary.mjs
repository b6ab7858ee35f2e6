// Finds words that the project does not use, in names and in prose, and prints the term to use instead (ARCHITECTURE.md, Terms).
//   node scripts/vocabulary.mjs
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Words, as regular expressions without case; a word also matches as a part of a camelCase name. */
const TERMS = {
  'stimulus|stimuli': 'machine event',
  draught: 'commit builder',
  aftermath: 'post-commit',
  'hearsay|overheard': 'cache, recording stepper',
  'pardon(?:ed)?|forgiv(?:e|es|ing|eness)': 'retry reset, reset failures',
  '(?:re)?fold(?:s|ed|ing)?': 'replay',
  rouse: 'schedule',
  'unfeed|starve': 'pending inputs',
  takeover: 'recovery, ownership transfer',
  heir: 'successor',
  'sightings?': 'heartbeat',
  standings: 'tenant statuses',
  happenings: 'execution overlay',
  'spill(?:s|ed|ing)?': 'offload',
  farewell: 'exit note',
  'ailments?': 'database status',
  errand: 'callback',
  dossier: 'dump',
  'call(?:ed)? off': 'cancel',
  deaf: 'unsubscribe',
  'hot (?:bytes|cache)': 'execution cache, cacheBytes',
  'whoever|nobody|somebody|everybody': 'the name of the actor, "no client", "any server"',
  'for ever': 'forever',
  'under way': 'in progress',
  'mend(?:s|ed|ing)?': 'fix, repair',
  'gatherings?': 'batch loader',
  'situations?': 'state, state-space node',
  '(?:is|are|was|were) away': 'unreachable',
  '(?<!both |three )ways(?! (?:to|in) )': 'transitions, branches, edges, index scans',
  'told(?= =|\\(\\)|\\.[a-z]|: [A-Z])': 'what is reported or given',
};

/** Recorded and generated text, and migrations, which are never edited. */
const EXCLUDED = [
  ':!package-lock.json',
  ':!store/*/migrations/*.sql',
  ':!test/golden/*.json',
  ':!*.svg',
  ':!scripts/vocabulary.mjs',
];
/** The system user `nobody`, fields of stored events, and a code of the API. */
const ALLOWED = /\bNOBODY\b|[\w/-]*\/nobody\b|\b(?:output|state)_spilled\b|\bforgiven\b|\bnobody_waits\b/g;

const rules = Object.entries(TERMS).map(([words, term]) => ({
  pattern: new RegExp(`(?<![a-z])(?:${words})(?![a-z])`, 'i'),
  term,
}));
const files = execFileSync('git', ['ls-files', ...['.', ...EXCLUDED]], { encoding: 'utf8' })
  .trim()
  .split('\n');
let found = 0;
for (const file of files) {
  const lines = readFileSync(file, 'utf8').split('\n');
  for (const [index, line] of lines.entries()) {
    // `takeOver` and `take_over` become `take over`.
    const text = line.replace(ALLOWED, '').replace(/(?<=[a-z])(?=[A-Z])|_/g, ' ');
    for (const { pattern, term } of rules) {
      const word = pattern.exec(text)?.[0];
      if (word === undefined) continue;
      found += 1;
      console.log(`${file}:${index + 1}: "${word}": use ${term}`);
    }
  }
}
process.exitCode = found === 0 ? 0 : 1;
