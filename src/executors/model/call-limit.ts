import { isObject, type Json } from '../../../machines/json.ts';
import { WorkError } from '../executor.ts';

/** Items of one list of a message of a stream: the client of the provider makes a part of each at once. */
const MAX_ITEMS = 4_096;
/** How deep the lists of a message are whose items become parts: `candidates[0].content.parts`. */
const MAX_DEPTH = 5;

export function tooManyCalls(limit: number): WorkError {
  return new WorkError(`the model asked for more than ${limit} tools in one answer, the maximum (max_calls_per_answer)`, {
    retryable: false,
    errorClass: 'too_many_calls',
  });
}

/** The response, read to its end and refused if it asks for more tools than `limit`. */
export async function limitedAnswer(response: Response, limit: number): Promise<Response> {
  if (!response.ok || response.body === null) return response;
  const text = await response.text();
  refuseManyCalls(text, limit);
  return new Response(text, response);
}

/** The response, whose stream fails at a message with more tool calls than `limit`, or more items than a message of a stream has. */
export function limitedStream(response: Response, limit: number): Response {
  if (!response.ok || response.body === null) return response;
  const messages = new MessageData((data) => {
    const message = refuseManyCalls(data, limit);
    if (data.length > MAX_ITEMS && hasLongList(message, MAX_DEPTH))
      throw new WorkError(`the provider sent a list of more than ${MAX_ITEMS} items in one message of a stream`, {
        retryable: false,
        errorClass: 'invalid_response',
      });
  });
  const decoder = new TextDecoder();
  const body = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        messages.read(decoder.decode(chunk, { stream: true }));
        controller.enqueue(chunk);
      },
      flush: () => messages.end(),
    }),
  );
  return new Response(body, response);
}

/** The JSON value of a text, null if it is none. Throws `WorkError` if it is an answer with more tool calls than `limit`, of any provider. */
function refuseManyCalls(text: string, limit: number): Json {
  // A call takes at least a character and a comma.
  if (text.length <= 2 * limit) return null;
  const answer = jsonOf(text);
  if (callsIn(answer) > limit) throw tooManyCalls(limit);
  return answer;
}

function callsIn(answer: Json): number {
  if (!isObject(answer)) return 0;
  const ofChoices = listOf(answer.choices).map((choice) => {
    const { delta, message } = objectOf(choice);
    return listOf(objectOf(delta).tool_calls).length + listOf(objectOf(message).tool_calls).length;
  });
  const ofCandidates = listOf(answer.candidates).map(
    (candidate) => listOf(objectOf(objectOf(candidate).content).parts).filter((part) => 'functionCall' in objectOf(part)).length,
  );
  const typed = [...listOf(answer.content), ...listOf(answer.output)].filter((item) => CALLS.has(objectOf(item).type));
  return [...ofChoices, ...ofCandidates].reduce((sum, count) => sum + count, typed.length);
}

/** The types of calls among the blocks of Messages and the items of Responses. */
const CALLS: ReadonlySet<Json | undefined> = new Set(['tool_use', 'function_call']);

function hasLongList(value: Json, depth: number): boolean {
  if (typeof value !== 'object' || value === null || depth === 0) return false;
  const items = Array.isArray(value) ? (value as readonly Json[]) : Object.values(value);
  return (Array.isArray(value) && items.length > MAX_ITEMS) || items.some((item) => hasLongList(item, depth - 1));
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function objectOf(value: Json | undefined): Readonly<Record<string, Json | undefined>> {
  return isObject(value) ? value : {};
}

/** Null for what is no JSON: the client of the provider says so. */
function jsonOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}

/** Gives the data of each server-sent event in a text that comes in pieces (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
class MessageData {
  readonly #take: (data: string) => void;
  #line = '';
  #data: string[] = [];

  constructor(take: (data: string) => void) {
    this.#take = take;
  }

  read(text: string): void {
    const lines = text.split(/\r\n|\n|\r/);
    lines[0] = this.#line + lines[0];
    this.#line = lines.pop() ?? '';
    for (const line of lines) this.#readLine(line);
  }

  end(): void {
    this.#readLine(this.#line);
    this.#readLine('');
  }

  #readLine(line: string): void {
    if (line === '') {
      const data = this.#data.join('\n');
      this.#data = [];
      if (data !== '') this.#take(data);
    } else if (line.startsWith('data:')) this.#data.push(line.slice(5));
  }
}
