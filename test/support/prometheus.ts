export interface PrometheusSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface PrometheusMetrics {
  readonly samples: readonly PrometheusSample[];
  readonly types: ReadonlyMap<string, string>;
  /** The value of the series with exactly these labels; undefined = there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"/y;
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)(?: -?\\d+)?$`);
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];
/** What the samples of a histogram and a summary add to its name. */
const SUFFIX = /_(?:bucket|sum|count)$/;

/**
 * Reads the text format of Prometheus, version 0.0.4, as strictly as Prometheus does: throws for a line that it would refuse, a sample
 * without a type, and a series that is there twice.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function parsePrometheus(text: string): PrometheusMetrics {
  if (!text.endsWith('\n')) throw new Error('the last line must end with a line feed');
  const samples: PrometheusSample[] = [];
  const types = new Map<string, string>();
  const series = new Set<string>();
  for (const line of text.split('\n')) {
    const comment = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`).exec(line);
    if (comment !== null) {
      const [, keyword, name = '', rest = ''] = comment;
      if (keyword === 'TYPE') {
        if (!TYPES.includes(rest) || types.has(name)) throw new Error(`bad type: ${line}`);
        types.set(name, rest);
      }
    } else if (line !== '' && !line.startsWith('#')) {
      const sample = sampleOf(line);
      const key = keyOf(sample.name, sample.labels);
      if (series.has(key)) throw new Error(`twice: ${line}`);
      if (!types.has(sample.name) && !types.has(sample.name.replace(SUFFIX, ''))) throw new Error(`no type: ${line}`);
      series.add(key);
      samples.push(sample);
    }
  }
  const values = new Map(samples.map(({ name, labels, value }) => [keyOf(name, labels), value]));
  return { samples, types, value: (name, labels = {}) => values.get(keyOf(name, labels)) };
}

function sampleOf(line: string): PrometheusSample {
  const [, name = '', labels = '', number = ''] = SAMPLE.exec(line) ?? [];
  const value = number === '+Inf' ? Number.POSITIVE_INFINITY : Number(number);
  if (name === '' || number === '' || Number.isNaN(value)) throw new Error(`not a sample: ${line}`);
  return { name, labels: labelsOf(labels, line), value };
}

function labelsOf(text: string, line: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const found = LABEL.exec(text);
    if (found === null) throw new Error(`bad labels: ${line}`);
    const [, name = '', value = ''] = found;
    labels[name] = value.replace(/\\(["\\n])/g, (_all, escaped: string) => (escaped === 'n' ? '\n' : escaped));
    if (text[LABEL.lastIndex] === ',') LABEL.lastIndex += 1;
  }
  return labels;
}

function keyOf(name: string, labels: Readonly<Record<string, string>>): string {
  return `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
}
