import type { ServerResponse } from 'node:http';
import { webServer } from './web-server.ts';

/** A provider whose answer the test writes part by part. */
export async function dictated() {
  const responses: ServerResponse[] = [];
  const { url } = await webServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    responses.push(response);
  });
  const send = (delta: object, finish_reason: string | null = null): void => {
    const chunk = {
      id: 'c',
      object: 'chat.completion.chunk',
      created: 0,
      model: 'gpt-4o',
      choices: [{ index: 0, delta, finish_reason }],
    };
    responses.at(-1)?.write(`data: ${JSON.stringify(chunk)}\n\n`);
  };
  const end = (): void => {
    send({}, 'stop');
    responses.at(-1)?.end('data: [DONE]\n\n');
  };
  return { models: { providers: { openai: { apiKey: 'key', baseUrl: url } } }, responses, send, end };
}
