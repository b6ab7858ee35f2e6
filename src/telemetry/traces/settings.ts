/** Which traces are recorded. */
export interface SamplerSettings {
  readonly kind: 'always_on' | 'always_off' | 'ratio';
  /** Of the traces, from 0 to 1; only of `ratio`. */
  readonly ratio: number;
  /** An execution that was started within a trace is recorded if that trace is. */
  readonly followsParent: boolean;
}

/** Where spans go. */
export interface TracingSettings {
  readonly exporter: 'otlp' | 'console';
  /** Of the collector's traces. */
  readonly url: string;
  readonly protocol: 'http/protobuf' | 'http/json';
  /** Null = `jamjet`, or as `OTEL_RESOURCE_ATTRIBUTES` says. */
  readonly serviceName: string | null;
  readonly sampler: SamplerSettings;
}
