import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: it has no parent. */
  readonly parentSpanId: string;
  readonly name: string;
  /** 1 = internal, 3 = client. */
  readonly kind: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly { readonly name: string; readonly attributes: Readonly<Record<string, unknown>> }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** 2 = error. */
  readonly status: { readonly code: number; readonly message: string };
  readonly resource: Readonly<Record<string, unknown>>;
}

export interface OtlpReceiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** Content types of the requests. */
  readonly contentTypes: readonly string[];
  /** Resolves with the spans that match, as soon as there are `count` of them. */
  received(count: number, matches?: (span: ReceivedSpan) => boolean): Promise<readonly ReceivedSpan[]>;
}

/**
 * A collector of traces over OTLP/HTTP, for the rest of the test. It reads JSON and Protocol Buffers.
 *
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto
 */
export async function otlpReceiver(finished: (close: () => void) => void = onTestFinished): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const contentTypes: string[] = [];
  let wake = (): void => {};
  const server = createServer((request, reply) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const sent = Buffer.concat(chunks);
      const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
      const type = request.headers['content-type'] ?? '';
      if (request.url !== '/v1/traces') throw new Error(`unexpected ${request.method} ${request.url}`);
      contentTypes.push(type);
      spans.push(...(type === 'application/json' ? ofJson(JSON.parse(body.toString())) : ofProtobuf(body)));
      reply.writeHead(200, { 'content-type': type }).end(type === 'application/json' ? '{}' : '');
      wake();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  finished(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    contentTypes,
    async received(count, matches = () => true) {
      for (;;) {
        const found = spans.filter(matches);
        if (found.length >= count) return found;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}

interface JsonValue {
  readonly stringValue?: string;
  readonly intValue?: string | number;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
  readonly arrayValue?: { readonly values: readonly JsonValue[] };
}
type JsonAttributes = readonly { readonly key: string; readonly value: JsonValue }[];

interface JsonSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: JsonAttributes;
  readonly events?: readonly { readonly name: string; readonly attributes?: JsonAttributes }[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status?: { readonly code?: number; readonly message?: string };
}

interface JsonRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: JsonAttributes };
    readonly scopeSpans: readonly { readonly spans: readonly JsonSpan[] }[];
  }[];
}

function ofJson({ resourceSpans }: JsonRequest): readonly ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? '',
        name: span.name,
        kind: span.kind,
        startMs: Number(BigInt(span.startTimeUnixNano) / 1_000_000n),
        endMs: Number(BigInt(span.endTimeUnixNano) / 1_000_000n),
        attributes: jsonAttributes(span.attributes),
        events: (span.events ?? []).map(({ name, attributes }) => ({ name, attributes: jsonAttributes(attributes) })),
        links: (span.links ?? []).map(({ traceId, spanId }) => ({ traceId, spanId })),
        status: { code: span.status?.code ?? 0, message: span.status?.message ?? '' },
        resource: jsonAttributes(resource.attributes),
      })),
    ),
  );
}

function jsonAttributes(attributes: JsonAttributes = []): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, jsonValue(value)]));
}

function jsonValue({ stringValue, intValue, doubleValue, boolValue, arrayValue }: JsonValue): unknown {
  if (arrayValue !== undefined) return arrayValue.values.map(jsonValue);
  return stringValue ?? boolValue ?? doubleValue ?? Number(intValue);
}

/** The fields of a message of Protocol Buffers, by number: bytes, or a number. */
type Fields = ReadonlyMap<number, readonly (Buffer | bigint)[]>;

function fieldsOf(message: Buffer): Fields {
  const fields = new Map<number, (Buffer | bigint)[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(message.readUInt8(at++));
      value |= (byte & 0x7fn) << shift;
      if (byte < 0x80n) return value;
    }
  };
  while (at < message.length) {
    const tag = Number(varint());
    const wireType = tag & 7;
    let value: Buffer | bigint;
    if (wireType === 0) {
      value = varint();
    } else if (wireType === 1) {
      value = message.readBigUInt64LE(at);
      at += 8;
    } else if (wireType === 5) {
      value = BigInt(message.readUInt32LE(at));
      at += 4;
    } else if (wireType === 2) {
      const length = Number(varint());
      value = message.subarray(at, at + length);
      at += length;
    } else throw new Error(`wire type ${wireType}`);
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
  }
  return fields;
}

const messages = (fields: Fields, number: number): readonly Fields[] =>
  (fields.get(number) ?? []).map((value) => fieldsOf(value as Buffer));
const bytes = (fields: Fields, number: number): Buffer => (fields.get(number)?.[0] as Buffer | undefined) ?? Buffer.alloc(0);
const textAt = (fields: Fields, number: number): string => bytes(fields, number).toString();
const numberAt = (fields: Fields, number: number): bigint => (fields.get(number)?.[0] as bigint | undefined) ?? 0n;

function ofProtobuf(body: Buffer): readonly ReceivedSpan[] {
  return messages(fieldsOf(body), 1).flatMap((ofResource) => {
    const resource = attributesAt(fieldsOf(bytes(ofResource, 1)), 1);
    return messages(ofResource, 2).flatMap((ofScope) =>
      messages(ofScope, 2).map((span) => {
        const status = fieldsOf(bytes(span, 15));
        return {
          traceId: bytes(span, 1).toString('hex'),
          spanId: bytes(span, 2).toString('hex'),
          parentSpanId: bytes(span, 4).toString('hex'),
          name: textAt(span, 5),
          kind: Number(numberAt(span, 6)),
          startMs: Number(numberAt(span, 7) / 1_000_000n),
          endMs: Number(numberAt(span, 8) / 1_000_000n),
          attributes: attributesAt(span, 9),
          events: messages(span, 11).map((event) => ({ name: textAt(event, 2), attributes: attributesAt(event, 3) })),
          links: messages(span, 13).map((link) => ({
            traceId: bytes(link, 1).toString('hex'),
            spanId: bytes(link, 2).toString('hex'),
          })),
          status: { code: Number(numberAt(status, 3)), message: textAt(status, 2) },
          resource,
        };
      }),
    );
  });
}

function attributesAt(fields: Fields, number: number): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    messages(fields, number).map((attribute) => [textAt(attribute, 1), attributeValue(fieldsOf(bytes(attribute, 2)))]),
  );
}

function attributeValue(value: Fields): unknown {
  if (value.has(1)) return textAt(value, 1);
  if (value.has(2)) return numberAt(value, 2) === 1n;
  if (value.has(3)) return Number(BigInt.asIntN(64, numberAt(value, 3)));
  if (value.has(4)) {
    const double = Buffer.alloc(8);
    double.writeBigUInt64LE(numberAt(value, 4));
    return double.readDoubleLE();
  }
  return messages(fieldsOf(bytes(value, 5)), 1).map(attributeValue);
}
