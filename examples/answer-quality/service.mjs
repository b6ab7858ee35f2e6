// Two stand-in models, so that the example runs offline: `node examples/answer-quality/service.mjs`.
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

/** Writes a better answer once it is told what was wrong with the last one. */
function write(prompt) {
  return /did not pass/.test(prompt)
    ? 'Dear customer, delivery takes two days: https://tea.example/delivery'
    : 'Dear customer, delivery takes two days.';
}

/** Scores an answer by its length and its tone. */
function judge(prompt) {
  const [, output = ''] = /<output>\n([\s\S]*)\n<\/output>/.exec(prompt) ?? [];
  const isPolite = /dear/i.test(output);
  return JSON.stringify({ score: isPolite ? 5 : 2, reason: isPolite ? 'polite and to the point' : 'not polite' });
}

/** Answers Chat Completions of the models `writer` and `judge`. */
export function startService(port = 7797) {
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    if (request.method !== 'POST' || request.url !== '/v1/chat/completions') return response.writeHead(404).end();
    const { model, messages } = JSON.parse(body);
    const content = (model === 'judge' ? judge : write)(String(messages.at(-1).content));
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        id: 'chatcmpl-offline',
        object: 'chat.completion',
        created: 0,
        model,
        choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 80, completion_tokens: 20, total_tokens: 100 },
      }),
    );
  });
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await startService();
  console.log('answers as the models writer and judge on http://127.0.0.1:7797/v1');
}
