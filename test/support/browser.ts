import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
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
  /** Default 1280 × 800. */
  readonly context?: BrowserContextOptions;
  /** Messages of the browser that the test expects, such as those of a server that is unreachable. */
  readonly expected?: RegExp;
}

/** The Chromium of this process, which ends with it. */
let shared: Promise<Browser> | null = null;

/**
 * The tests of a process share one Chromium. The returned function opens the console in a context of its own. After each test, no page may have
 * reported an error, violated its content security policy, or sent a request to another host.
 */
export function consoleBrowser(): (options: ConsoleOptions) => Promise<Page> {
  let browser: Browser;
  let problems: string[] = [];
  let pages: Page[] = [];
  beforeAll(async () => {
    shared ??= launchBrowser();
    browser = await shared;
  });
  afterEach(async () => {
    await Promise.all(pages.map((page) => page.context().close()));
    const found = problems;
    pages = [];
    problems = [];
    expect(found).toEqual([]);
  });
  return async ({ url, token, path = '/', context = {}, expected }) => {
    const opened = await browser.newContext({ viewport: { width: 1_280, height: 800 }, reducedMotion: 'reduce', ...context });
    // Only once: a page that signs out must stay signed out when it is loaded again.
    if (token !== null) {
      const script = `if (sessionStorage.getItem('test.opened') === null) {
        sessionStorage.setItem('test.opened', 'yes');
        sessionStorage.setItem('jamjet.token', ${JSON.stringify(token)});
      }`;
      await opened.addInitScript(script);
    }
    const page = await opened.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    pages.push(page);
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
