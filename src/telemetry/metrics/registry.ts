import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { CATALOGUE, type EventName, type TelemetryEvent } from '../catalogue.ts';
import { BoundedLabels } from './bounded-labels.ts';
import { EVENT_METRICS, type EventMetric } from './definitions.ts';
import { READ_METRICS, type Reading, type ReadMetric } from './readings.ts';

export interface RegistryOptions {
  /** Gives metrics whose events have a tenant the label `tenant`. */
  readonly tenantLabel: boolean;
  /** Also the metrics of the process itself: CPU, memory, garbage collection, event loop. */
  readonly processMetrics: boolean;
}

type Recorder = (event: TelemetryEvent) => void;
type Labels = Record<string, string>;

/** The metrics of one process, in the text format of Prometheus. Imports prom-client, so it is itself imported on first use. */
export class MetricsRegistry {
  readonly #registry = new Registry();
  readonly #bounded = new BoundedLabels();
  readonly #recorders = new Map<EventName, Recorder[]>();
  readonly #readers: readonly ((reading: Reading) => void)[];

  constructor({ tenantLabel, processMetrics }: RegistryOptions) {
    for (const metric of EVENT_METRICS) {
      const recorders = this.#recorders.get(metric.event) ?? [];
      this.#recorders.set(metric.event, [...recorders, this.#recorder(metric, tenantLabel)]);
    }
    this.#readers = READ_METRICS.map((metric) => this.#reader(metric, tenantLabel));
    if (processMetrics) collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  record(event: TelemetryEvent): void {
    for (const record of this.#recorders.get(event.name) ?? []) record(event);
  }

  text(reading: Reading): Promise<string> {
    for (const read of this.#readers) read(reading);
    return this.#registry.metrics();
  }

  #recorder(metric: EventMetric, tenantLabel: boolean): Recorder {
    const { name, help, measure } = metric;
    const ofTenant = tenantLabel && (CATALOGUE[metric.event].labels as readonly string[]).includes('tenant');
    const labelNames = [...(ofTenant ? ['tenant'] : []), ...metric.labels];
    const options = { name, help, labelNames, registers: [this.#registry] };
    const add = metric.type === 'counter' ? counter(options) : histogram({ ...options, buckets: [...metric.buckets] });
    return ({ labels, measures }) => {
      const value = measure === undefined ? 1 : (measures as Readonly<Record<string, number | null>>)[measure];
      if (typeof value === 'number') add(this.#labels(labelNames, labels), value);
    };
  }

  #reader(
    { type, name, help, labels: own, ofTenants, read, combine }: ReadMetric,
    tenantLabel: boolean,
  ): (reading: Reading) => void {
    const labels = [...(tenantLabel && ofTenants === true ? ['tenant'] : []), ...own];
    const options = { name, help, labelNames: labels, registers: [this.#registry] };
    const metric = type === 'gauge' ? new Gauge(options) : new Counter(options);
    return (reading) => {
      const samples = new Map<string, { readonly labels: Labels; readonly value: number }>();
      for (const { labels: given = {}, value } of read(reading)) {
        const bounded = this.#labels(labels, given);
        const key = JSON.stringify(bounded);
        const others = samples.get(key)?.value ?? 0;
        samples.set(key, { labels: bounded, value: combine === 'max' ? Math.max(others, value) : others + value });
      }
      metric.reset();
      // What is not known must not look like zero.
      if (samples.size === 0 && labels.length === 0) metric.remove();
      for (const { labels: bounded, value } of samples.values()) metric.inc(bounded, value);
    };
  }

  #labels(names: readonly string[], given: Readonly<Record<string, string>>): Labels {
    const labels: Labels = {};
    for (const name of names) labels[name] = this.#bounded.bounded(name, given[name] ?? '');
    return labels;
  }
}

interface Options {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  readonly registers: Registry[];
}

function counter(options: Options): (labels: Labels, value: number) => void {
  const metric = new Counter(options);
  // Without labels it begins at 0, so that its first increase is seen.
  if (options.labelNames.length === 0) metric.inc(0);
  return (labels, value) => metric.inc(labels, value);
}

function histogram(options: Options & { readonly buckets: number[] }): (labels: Labels, value: number) => void {
  const metric = new Histogram(options);
  return (labels, value) => metric.observe(labels, value);
}
