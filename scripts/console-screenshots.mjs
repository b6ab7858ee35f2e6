// Takes the pictures of the console in docs/console/: `npm run screenshots`, which builds first. Needs Chromium. The runs in them are real.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chromium } from 'playwright-core';
import { JamjetClient } from '../dist/src/client/index.js';

const FOLDER = 'docs/console';
const EXAMPLES = ['order-fulfilment', 'refund-approval', 'drafting-loop'];
const SIZE = { width: 1440, height: 900 };
const inputOf = (example) => JSON.parse(readFileSync(`examples/${example}/input.json`, 'utf8'));

const folder = mkdtempSync(join(tmpdir(), 'jamjet-screenshots-'));
const files = EXAMPLES.map((example) => resolve('examples', example, 'workflow.yaml'));
const server = spawn(process.execPath, [resolve('bin/jamjet.js'), 'dev', '--port', '0', '--json', ...files], {
  cwd: folder,
  env: { PATH: process.env.PATH, HOME: folder, DATABASE_URL: join(folder, 'runtime.db') },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const url = await new Promise((listening) => {
  let output = '';
  server.stdout.on('data', (chunk) => {
    output += chunk;
    if (output.includes('\n')) listening(JSON.parse(output.split('\n', 1)[0]).url);
  });
});
const token = readFileSync(join(folder, 'token'), 'utf8').trim();
const client = new JamjetClient({ url, token });
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
});

try {
  const executions = await history();
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  for (const [name, path, theme = 'light'] of [
    ['executions', '/executions'],
    ['execution', `/executions/${executions.order}`],
    ['execution-dark', `/executions/${executions.order}`, 'dark'],
    ['approvals', '/approvals'],
    ['workflow', '/workflows/order-fulfilment'],
    ['workers', '/workers'],
  ])
    await take(name, path, theme);
} finally {
  await browser.close();
  server.kill();
  await new Promise((ended) => server.once('exit', ended));
  rmSync(folder, { recursive: true, force: true });
}

/** Executions of each status. Resolves to the id of one that waits. */
async function history() {
  const start = async (workflow_id, input, labels) => (await client.start({ workflow_id, input, labels })).execution_id;
  const labels = (customer) => ({ customer });
  for (const customer of ['acme', 'globex', 'initech']) {
    const paid = await start('order-fulfilment', inputOf('order-fulfilment'), labels(customer));
    await client.sendEvent(paid, { key: 'payment-received', payload: { amount: 42 } });
    await client.execution(paid, { waitMs: 10_000 });
    await start('drafting-loop', inputOf('drafting-loop'), labels(customer));
  }
  for (const customer of ['umbrella', 'hooli']) await start('refund-approval', inputOf('refund-approval'), labels(customer));
  const cancelled = await start('order-fulfilment', inputOf('order-fulfilment'), labels('acme'));
  await client.execution(cancelled, { waitMs: 10_000 });
  await client.cancel(cancelled, 'the customer changed their mind');
  await start('refund-approval', { order_id: 7 }, labels('globex'));
  const order = await start('order-fulfilment', inputOf('order-fulfilment'), labels('soylent'));
  await client.execution(order, { waitMs: 10_000 });
  return { order };
}

async function take(name, path, colorScheme) {
  const context = await browser.newContext({ viewport: SIZE, colorScheme, reducedMotion: 'reduce' });
  await context.addInitScript(`sessionStorage.setItem('jamjet.token', ${JSON.stringify(token)})`);
  const page = await context.newPage();
  await page.goto(`${url}/#${path}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  for (const loading = page.getByText(/^Loading /); (await loading.count()) > 0; )
    await loading.first().waitFor({ state: 'detached' });
  await page.screenshot({ path: join(FOLDER, `${name}.png`) });
  await context.close();
}
