import type { Artifact, Part, Task } from '@a2a-js/sdk';
import { isObject, type Json, type JsonObject } from '../../../machines/json.ts';
import type { Usage } from '../../../machines/messages.ts';
import { structureIn } from '../answer-text.ts';
import { toJson } from '../to-json.ts';

/** The parts of a message with an input: a text as it is, anything else as data, or as its JSON text for agents that take no JSON. */
export function partsOf(input: Json, asJson: boolean): Part[] {
  const part = (content: NonNullable<Part['content']>, mediaType: string): Part[] => [
    { content, metadata: undefined, filename: '', mediaType },
  ];
  if (typeof input === 'string') return part({ $case: 'text', value: input }, 'text/plain');
  if (asJson) return part({ $case: 'data', value: input }, 'application/json');
  const only = isObject(input) && Object.keys(input).length === 1 ? Object.values(input)[0] : undefined;
  return part({ $case: 'text', value: typeof only === 'string' ? only : JSON.stringify(input) }, 'text/plain');
}

/** The output for parts: the content of the only one, or the list of contents. Null = there are none. */
export function outputOf(parts: readonly Part[]): Json {
  const contents = parts.flatMap((part) => {
    const content = contentOf(part);
    return content === undefined ? [] : [content];
  });
  const [only, ...more] = contents;
  if (only === undefined) return null;
  if (more.length > 0) return toJson(contents, 'artifacts');
  return toJson(typeof only === 'string' ? (structureIn(only) ?? only) : only, 'artifact');
}

/** The output of a finished task: its artifacts, else what the agent said last. */
export function outputOfTask(task: Task): Json {
  const parts = task.artifacts.flatMap((artifact) => withParts([], artifact.parts));
  return outputOf(parts.length > 0 ? parts : (task.status?.message?.parts ?? []));
}

/** The texts of parts, as one. */
export function textOf(parts: readonly Part[]): string {
  return parts.flatMap(({ content }) => (content?.$case === 'text' ? [content.value] : [])).join('\n');
}

function contentOf({ content, filename, mediaType }: Part): Json | undefined {
  const named = { ...(filename === '' ? {} : { filename }), ...(mediaType === '' ? {} : { media_type: mediaType }) };
  switch (content?.$case) {
    case 'text':
      return content.value;
    case 'data':
      return (content.value ?? null) as Json;
    case 'url':
      return { url: content.value, ...named };
    case 'raw':
      return { bytes: Buffer.from(content.value).toString('base64'), ...named };
    default:
      return undefined;
  }
}

/** Adds a streamed part of an artifact to those that have come before. */
export function withArtifact(artifacts: readonly Artifact[], given: Artifact, append: boolean): Artifact[] {
  const known = artifacts.find(({ artifactId }) => artifactId === given.artifactId);
  if (known === undefined) return [...artifacts, given];
  const merged = append ? { ...known, parts: withParts(known.parts, given.parts) } : given;
  return artifacts.map((artifact) => (artifact === known ? merged : artifact));
}

/** Texts that follow each other are one text. */
function withParts(before: readonly Part[], added: readonly Part[]): Part[] {
  const parts = [...before];
  for (const part of added) {
    const last = parts.at(-1);
    if (last?.content?.$case === 'text' && part.content?.$case === 'text')
      parts[parts.length - 1] = { ...last, content: { $case: 'text', value: last.content.value + part.content.value } };
    else parts.push(part);
  }
  return parts;
}

/** What the metadata of a task or message say about its cost: `cost_usd`, `input_tokens`, `output_tokens`, also below `usage`. */
export function usageIn(metadata: unknown): Usage {
  const given = toObject(metadata);
  const usage = { ...given, ...toObject(given.usage) };
  const count = (value: Json | undefined) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
  const input = count(usage.input_tokens);
  const output = count(usage.output_tokens) ?? count(usage.tokens) ?? count(usage.total_tokens);
  const cost =
    typeof usage.cost_usd === 'number' && Number.isFinite(usage.cost_usd) && usage.cost_usd >= 0 ? usage.cost_usd : null;
  return {
    ...(input === null ? {} : { input_tokens: input }),
    ...(output === null ? {} : { output_tokens: output }),
    ...(cost === null ? {} : { cost_usd: cost }),
  };
}

/** The same; null = they say nothing. */
export function reportedUsage(metadata: unknown): Usage | null {
  const usage = usageIn(metadata);
  return Object.keys(usage).length === 0 ? null : usage;
}

function toObject(value: unknown): JsonObject {
  return isObject(value as Json) ? (value as JsonObject) : {};
}
