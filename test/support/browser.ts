import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterEach, beforeAll, expect } from 'vitest';
import { PATIENCE_MS } from './patience.ts';
import { requiredProgram } from './requirements.ts';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // The pages of all tests, one after the other, in the same process.
  '--renderer-process-limit=1',
];

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: requiredProgram('chromium'), args: ARGUMENTS });
}

interface ConsoleOptions {
  /** URL of the server, without a trailing slash. */
  readonly url: string;
  /** The token of the signed-in user; null = not signed in. */
  readonly token: string | null;
  /** Path of the console with its search, such as `/executions?status=failed`. Default `/`. */
  readonly path?: string;
  /** Of a context that no other page has, with nothing in its cache; it takes twice as long to open. */
  readonly context?: BrowserContextOptions;
  /** Messages of the browser that the test expects, such as those of a server that is unreachable. */
  readonly expected?: RegExp;
}

const SETTINGS: BrowserContextOptions = { viewport: { width: 1_280, height: 800 }, reducedMotion: 'reduce' };

/** The context of this process, whose Chromium ends with it: of a page that was open before, the next one has the files and the compiled code. */
let shared: Promise<BrowserContext> | null = null;

async function openContext(): Promise<BrowserContext> {
  const context = await (await launchBrowser()).newContext(SETTINGS);
  // The browser ends the process of a site, with the code that it has compiled, when the last page of it is closed.
  const page = await context.newPage();
  await page.route('**', (route) => route.fulfill({ body: '' }));
  await page.goto('http://127.0.0.1/');
  return context;
}

/** Runs once in each tab: a page that signs out must stay signed out when it is loaded again. No page finds what another one has stored. */
const signIn = (token: string | null): string => `if (sessionStorage.getItem('test.opened') === null) {
  localStorage.clear();
  sessionStorage.setItem('test.opened', 'yes');
  ${token === null ? '' : `sessionStorage.setItem('jamjet.token', ${JSON.stringify(token)});`}
}`;

/**
 * The tests of a process share one Chromium, and a context of it. The returned function opens the console in a tab of its own. After each test, no
 * page may have reported an error, violated its content security policy, or sent a request to another host.
 */
export function consoleBrowser(): (options: ConsoleOptions) => Promise<Page> {
  let usual: BrowserContext;
  let problems: string[] = [];
  let close: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    shared ??= openContext();
    usual = await shared;
  });
  afterEach(async () => {
    await Promise.all(close.map((each) => each()));
    const found = problems;
    close = [];
    problems = [];
    expect(found).toEqual([]);
  });
  async function openPage(options: BrowserContextOptions | undefined): Promise<Page> {
    const context = options === undefined ? usual : await usual.browser()?.newContext({ ...SETTINGS, ...options });
    if (context === undefined) throw new Error('the context has no browser');
    const page = await context.newPage();
    close.push(() => (context === usual ? page : context).close());
    return page;
  }
  return async ({ url, token, path = '/', context, expected }) => {
    const page = await openPage(context);
    await page.addInitScript(signIn(token));
    page.setDefaultTimeout(PATIENCE_MS);
    const report = (problem: string): void => {
      if (expected?.test(problem) !== true) problems.push(problem);
    };
    page.on('pageerror', (error) => report(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') report(message.text());
    });
    page.on('request', (request) => {
      const target = request.url();
      if (!target.startsWith(url) && !target.startsWith('blob:') && !target.startsWith('data:')) report(`request to ${target}`);
    });
    await page.goto(`${url}/#${path}`);
    return page;
  };
}
