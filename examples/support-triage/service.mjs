// A stand-in for OpenAI, so that the example runs offline: `node examples/support-triage/service.mjs`.
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

/** Answers Chat Completions by looking for words in the last message. */
export function startService(port = 7798) {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    if (request.method !== 'POST' || request.url !== '/v1/chat/completions') return response.writeHead(404).end();
    const { model, messages } = JSON.parse(body);
    const text = String(messages.at(-1).content);
    const team = /invoice|refund/i.test(text) ? 'billing' : /down|error|slow/i.test(text) ? 'platform' : 'sales';
    const answer = JSON.stringify({ team, urgent: /down|at once/i.test(text) });
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        id: 'chatcmpl-offline',
        object: 'chat.completion',
        created: 0,
        model,
        choices: [{ index: 0, message: { role: 'assistant', content: answer }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 60, completion_tokens: 12, total_tokens: 72 },
      }),
    );
  });
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await startService();
  console.log('answers as a model on http://127.0.0.1:7798/v1');
}
