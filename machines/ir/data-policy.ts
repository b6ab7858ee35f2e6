import type { Static } from 'typebox';
import { isObject } from '../json.ts';
import type { Fields } from '../reading/fields.ts';
import { DETECTORS } from '../redaction/detectors.ts';
import { parsePath } from '../redaction/paths.ts';
import { REDACTION_MODES } from '../redaction/replacement.ts';
import { shortened } from '../shortened.ts';
import { didYouMean } from '../suggest.ts';
import { Type } from '../type.ts';

/** Paths of one policy: each is looked for in every value that is shown or stored. */
const MAX_PATHS = 200;
const MAX_RETENTION_DAYS = 36_500;

export const DataPolicy = Type.Object(
  {
    pii_fields: Type.Array(Type.String(), {
      description:
        'Paths of personal data in the state, such as `$.patient.ssn`, `$.orders[*].card` or `$..email`. Their values are replaced wherever they reappear, also inside texts.',
    }),
    pii_detectors: Type.Array(Type.Enum([...DETECTORS]), { description: 'What is recognised in any text.' }),
    redaction_mode: Type.Enum([...REDACTION_MODES], {
      description:
        'What replaces personal data. `mask`: `[REDACTED]`; `hash`: `[HASH:…]`, the same for the same value; `remove`: nothing, the key is dropped. Default: `mask`.',
    }),
    retain_prompts: Type.Boolean({ description: 'Whether the log keeps the prompts that models were given. Default: false.' }),
    retain_outputs: Type.Boolean({
      description: 'Whether the log and the state that is shown keep the outputs of nodes. Default: true.',
    }),
    retention_days: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_RETENTION_DAYS,
        description: 'Days after its end for which an execution is kept. Default: as long as the tenant keeps them.',
      }),
    ),
  },
  { description: 'What is personal data, and how it is protected in what is shown, sent to models and stored.' },
);
export type DataPolicy = Static<typeof DataPolicy>;

/** The code of all its errors. */
const BAD_DATA_POLICY = 'bad_data_policy';

const KEYS = Object.keys(DataPolicy.properties);

/** Reads the `data_policy` of a workflow or a node. What is wrong in it is an error: it would protect nothing. */
export function dataPolicyOf(fields: Fields): DataPolicy | null {
  const raw = fields.json('data_policy');
  if (raw === undefined) return null;
  if (!isObject(raw)) {
    fields.error(BAD_DATA_POLICY, 'data_policy', 'must be an object');
    return null;
  }
  const read = fields.inside('data_policy', raw);
  const error = (key: string, problem: string, hint: string | null = null) => read.error(BAD_DATA_POLICY, key, problem, hint);
  for (const key of Object.keys(raw)) {
    if (!KEYS.includes(key)) read.warning('unknown_key', key, 'is not a known key', () => didYouMean(key, KEYS));
  }
  const texts = (key: string): readonly string[] => {
    const list = read.json(key);
    if (list === undefined) return [];
    if (Array.isArray(list) && list.every((item) => typeof item === 'string')) return list as string[];
    error(key, 'must be a list of texts');
    return [];
  };
  const flag = (key: string, byDefault: boolean): boolean => {
    const given = read.json(key);
    if (given === undefined || typeof given === 'boolean') return given ?? byDefault;
    error(key, 'must be true or false');
    return byDefault;
  };

  const paths = texts('pii_fields').filter((path, i) => {
    const { problem } = parsePath(path);
    if (problem !== null) error(`pii_fields[${i}]`, problem, 'a path is like $.patient.ssn, $.orders[*].card or $..email');
    return problem === null;
  });
  if (paths.length > MAX_PATHS) error('pii_fields', `has ${paths.length} paths; at most ${MAX_PATHS} are allowed`);
  const detectors = texts('pii_detectors').flatMap((name, i) => {
    const known = DETECTORS.find((detector) => detector === name);
    if (known === undefined)
      error(
        `pii_detectors[${i}]`,
        `"${shortened(name, 60)}" is not a detector`,
        didYouMean(name, DETECTORS) ?? `available: ${DETECTORS.join(', ')}`,
      );
    return known ?? [];
  });
  const mode = read.json('redaction_mode');
  const knownMode = REDACTION_MODES.find((known) => known === mode);
  if (mode !== undefined && knownMode === undefined) error('redaction_mode', `must be one of ${REDACTION_MODES.join(', ')}`);
  const days = read.json('retention_days');
  const isDays = typeof days === 'number' && Number.isSafeInteger(days) && days >= 1 && days <= MAX_RETENTION_DAYS;
  if (days !== undefined && !isDays) error('retention_days', `must be a whole number from 1 to ${MAX_RETENTION_DAYS}`);
  return {
    pii_fields: paths.slice(0, MAX_PATHS),
    pii_detectors: [...new Set(detectors)],
    redaction_mode: knownMode ?? 'mask',
    retain_prompts: flag('retain_prompts', false),
    retain_outputs: flag('retain_outputs', true),
    ...(isDays ? { retention_days: days } : {}),
  };
}
