import {
  type Attributes,
  type Context,
  DiagLogLevel,
  diag,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  ConsoleSpanExporter,
  type IdGenerator,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  type SpanExporter,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-node';
import type { ExecutionTrace, TraceParent } from '../../runtime/trace-context.ts';
import type { SamplerSettings, TracingSettings } from './settings.ts';
import type { Attribute, SpanRecord } from './span.ts';

const CLOSE_TIMEOUT_MS = 3_000;
/** A collector that is unreachable would otherwise fill the log. */
const REPORT_INTERVAL_MS = 60_000;

export interface ProviderOptions {
  readonly settings: TracingSettings;
  readonly version: string;
  /** Names this process among those of the service. */
  readonly instanceId: string;
  /** Called, at most once a minute, when spans cannot be sent. */
  readonly onProblem: (message: string) => void;
}

/** Gives spans to the SDK, which sends them in batches. Imports the SDK, so it is itself imported on first use. */
export class SpanProvider {
  readonly #sampler: Sampler;
  readonly #ids = new GivenIds();
  readonly #provider: BasicTracerProvider;
  readonly #tracer: Tracer;
  readonly #options: ProviderOptions;

  private constructor(sampler: Sampler, exporter: SpanExporter, options: ProviderOptions) {
    const { settings, version, instanceId } = options;
    this.#options = options;
    const own = { 'service.version': version, 'service.instance.id': instanceId };
    const named = settings.serviceName === null ? {} : { 'service.name': settings.serviceName };
    const resource = defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'jamjet', ...own }))
      .merge(detectResources({ detectors: [envDetector] }))
      .merge(resourceFromAttributes(named));
    this.#sampler = sampler;
    this.#provider = new BasicTracerProvider({
      resource,
      sampler,
      idGenerator: this.#ids,
      spanProcessors: [new BatchSpanProcessor(exporter)],
    });
    this.#tracer = this.#provider.getTracer('jamjet-runtime', version);
  }

  static async create(options: ProviderOptions): Promise<SpanProvider> {
    reportProblems(options.onProblem);
    return new SpanProvider(samplerOf(options.settings.sampler), await exporterOf(options.settings), options);
  }

  isSampled({ traceId, parent }: ExecutionTrace): boolean {
    const { decision } = this.#sampler.shouldSample(contextOf(parent), traceId, '', SpanKind.INTERNAL, {}, []);
    return decision === SamplingDecision.RECORD_AND_SAMPLED;
  }

  add(record: SpanRecord): void {
    const { trace: of, spanId, parentSpanId, name, kind, startMs, endMs, attributes, links, error } = record;
    const isSampled = this.isSampled(of);
    const parent = parentSpanId === null ? null : { traceId: of.traceId, spanId: parentSpanId, isSampled };
    this.#ids.next = { traceId: of.traceId, spanId };
    const span = this.#tracer.startSpan(
      name,
      {
        kind: kind === 'client' ? SpanKind.CLIENT : SpanKind.INTERNAL,
        startTime: startMs,
        attributes: defined(attributes),
        links: links.map((link) => ({ context: { ...link, traceFlags: flagsOf(isSampled) } })),
      },
      contextOf(parent),
    );
    if (error !== null) {
      const { type, message, stack } = error;
      span.addEvent(
        'exception',
        defined({
          'exception.type': type,
          'exception.message': message ?? undefined,
          'exception.stacktrace': stack ?? undefined,
        }),
        endMs,
      );
      span.setAttribute('error.type', type);
      span.setStatus({ code: SpanStatusCode.ERROR, ...(message === null ? {} : { message }) });
    }
    span.end(endMs);
  }

  /** Sends what is left once `last` has resolved, if that and the collector take little time. */
  async close(last: Promise<unknown>): Promise<void> {
    const stopped = last.then(() => this.#provider.shutdown()).catch((error: unknown) => diag.error(String(error)));
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        const { settings, onProblem } = this.#options;
        onProblem(`${settings.url} has not taken the last spans within ${CLOSE_TIMEOUT_MS / 1000} s`);
        resolve();
      }, CLOSE_TIMEOUT_MS);
    });
    await Promise.race([stopped, timeout]);
    clearTimeout(timer);
    diag.disable();
  }
}

/** The ids of spans follow from executions, so that every process knows them. */
class GivenIds implements IdGenerator {
  next = { traceId: '', spanId: '' };

  generateTraceId = (): string => this.next.traceId;
  generateSpanId = (): string => this.next.spanId;
}

function samplerOf({ kind, ratio, followsParent }: SamplerSettings): Sampler {
  const plain =
    kind === 'always_on'
      ? new AlwaysOnSampler()
      : kind === 'always_off'
        ? new AlwaysOffSampler()
        : new TraceIdRatioBasedSampler(ratio);
  return followsParent ? new ParentBasedSampler({ root: plain }) : plain;
}

async function exporterOf({ exporter, protocol, url }: TracingSettings): Promise<SpanExporter> {
  if (exporter === 'console') return new ConsoleSpanExporter();
  const { OTLPTraceExporter } =
    protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto');
  return new OTLPTraceExporter({ url });
}

function contextOf(parent: TraceParent | null): Context {
  if (parent === null) return ROOT_CONTEXT;
  const { traceId, spanId, isSampled } = parent;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: flagsOf(isSampled), isRemote: true });
}

function flagsOf(isSampled: boolean): TraceFlags {
  return isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
}

function defined(attributes: Readonly<Record<string, Attribute | undefined>>): Attributes {
  const given: Attributes = {};
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined) given[name] = typeof value === 'object' ? [...value] : value;
  return given;
}

/** The SDK tells its problems only to this logger, of which a process has one. */
function reportProblems(onProblem: (message: string) => void): void {
  let reportedAt = Number.NEGATIVE_INFINITY;
  const report = (message: string): void => {
    if (performance.now() - reportedAt < REPORT_INTERVAL_MS) return;
    reportedAt = performance.now();
    onProblem(message);
  };
  const ignore = (): void => {};
  diag.setLogger(
    { error: report, warn: report, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}
