import type { SamplerSettings, TracingSettings } from '../telemetry/traces/settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Tracing is off, on, or set in a way that this runtime cannot do; then each problem is a line that names its variable. */
export type TracingChoice = TracingSettings | null | { readonly problems: readonly string[] };

const SAMPLERS: Readonly<Record<string, SamplerSettings['kind']>> = {
  always_on: 'always_on',
  always_off: 'always_off',
  traceidratio: 'ratio',
};

/**
 * Reads the variables of OpenTelemetry that choose whether and where spans go. The SDK itself reads the others, such as headers, timeouts,
 * certificates and the size of its queue.
 *
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export function tracingOf(env: Environment): TracingChoice {
  const read = (name: string): string | undefined => env[name]?.trim() || undefined;
  if (read('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return null;
  const own = read('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  const shared = read('OTEL_EXPORTER_OTLP_ENDPOINT');
  const exporter = read('OTEL_TRACES_EXPORTER') ?? (own === undefined && shared === undefined ? 'none' : 'otlp');
  if (exporter === 'none') return null;
  const problems: string[] = [];
  if (exporter !== 'otlp' && exporter !== 'console')
    problems.push(`OTEL_TRACES_EXPORTER: must be otlp, console or none, not "${exporter}"`);
  const protocolName =
    read('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') === undefined
      ? 'OTEL_EXPORTER_OTLP_PROTOCOL'
      : 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL';
  const protocol = read(protocolName) ?? 'http/protobuf';
  if (exporter === 'otlp' && protocol !== 'http/protobuf' && protocol !== 'http/json')
    problems.push(`${protocolName}: must be http/protobuf or http/json (usually port 4318), not "${protocol}"`);
  for (const [name, url] of [
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', own],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', shared],
  ] as const)
    if (url !== undefined && !isHttpUrl(url)) problems.push(`${name}: must be an http:// or https:// URL, not "${url}"`);
  const sampler = samplerOf(read('OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on', read('OTEL_TRACES_SAMPLER_ARG'), problems);
  if (problems.length > 0 || sampler === null) return { problems };
  return {
    exporter: exporter === 'console' ? 'console' : 'otlp',
    url: own ?? `${(shared ?? 'http://localhost:4318').replace(/\/+$/, '')}/v1/traces`,
    protocol: protocol === 'http/json' ? 'http/json' : 'http/protobuf',
    serviceName: read('OTEL_SERVICE_NAME') ?? null,
    sampler,
  };
}

function samplerOf(name: string, arg: string | undefined, problems: string[]): SamplerSettings | null {
  const [, followsParent, plain = ''] = /^(parentbased_)?(.*)$/.exec(name.toLowerCase()) ?? [];
  const kind = Object.hasOwn(SAMPLERS, plain) ? SAMPLERS[plain] : undefined;
  if (kind === undefined) {
    const names = Object.keys(SAMPLERS).flatMap((each) => [each, `parentbased_${each}`]);
    problems.push(`OTEL_TRACES_SAMPLER: must be one of ${names.join(', ')}, not "${name}"`);
    return null;
  }
  const ratio = arg === undefined || kind !== 'ratio' ? 1 : Number(arg);
  if (!(ratio >= 0 && ratio <= 1)) {
    problems.push(`OTEL_TRACES_SAMPLER_ARG: must be a number from 0 to 1, not "${arg}"`);
    return null;
  }
  return { kind, ratio, followsParent: followsParent !== undefined };
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
