import { realpathSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

const SALES = [
  { region: 'north', amount: 120, currency: 'EUR' },
  { region: 'north', amount: 54, currency: 'USD' },
  { region: 'south', amount: 86, currency: 'GBP' },
];
const RATES = { EUR: 1, USD: 1.08, GBP: 0.86 };

/** Serves sales, exchange rates and reports. The first request for rates fails, to show a retry. */
export async function startService(port = 0) {
  const reports = [];
  let rateRequests = 0;
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const reply = (status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (request.method === 'GET' && pathname === '/sales') return reply(200, SALES);
    if (request.method === 'GET' && pathname.startsWith('/rates/')) {
      rateRequests += 1;
      return rateRequests === 1 ? reply(503, { error: 'try again' }) : reply(200, RATES);
    }
    if (request.method === 'POST' && pathname === '/reports') {
      let text = '';
      for await (const chunk of request) text += chunk;
      return reply(201, { id: `report-${reports.push(JSON.parse(text))}` });
    }
    return reply(404, { error: `${pathname} not found` });
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    reports,
    close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}

const script = process.argv[1];
if (script !== undefined && realpathSync(script) === fileURLToPath(import.meta.url)) {
  const { url } = await startService(7799);
  console.log(`sales, rates and reports at ${url}; stop with Ctrl-C`);
}
