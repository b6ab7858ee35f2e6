import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { accessibilityProblems } from './accessibility.ts';
import type { consoleBrowser } from './browser.ts';
import type { Server } from './in-process-server.ts';

type Open = ReturnType<typeof consoleBrowser>;

/** Names that harm a page that takes them for markup, or lets them change the direction of writing. */
export const HOSTILE = '<img src=x onerror=alert(1)>\u202Egnp.exe\u001b[31m';
/** How it is shown. */
export const HOSTILE_SHOWN = '<img src=x onerror=alert(1)>\\u202egnp.exe\\u001b[31m';

/** What another theme changes. */
const RULES_OF_COLOURS = ['color-contrast', 'link-in-text-block'];

const PHONE = { width: 360, height: 740 };

/** Axe finds nothing wrong with what the page shows, in both themes. */
export async function expectAccessibleInBothThemes(page: Page): Promise<void> {
  await page.emulateMedia({ colorScheme: 'light' });
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await accessibilityProblems(page, RULES_OF_COLOURS)).toEqual([]);
}

/** Axe finds nothing wrong on a phone, and nothing is wider than its screen. */
export async function expectAccessibleOnPhone(page: Page): Promise<void> {
  await page.setViewportSize(PHONE);
  expect(await accessibilityProblems(page)).toEqual([]);
  expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
}

/** Each path, once its text is visible, in both themes and on a phone. */
export async function expectAccessible(
  open: Open,
  { url, token }: Server,
  ...paths: readonly (readonly [path: string, ready: string])[]
): Promise<void> {
  const page = await open({ url, token, path: paths[0]?.[0] ?? '/' });
  const usual = page.viewportSize();
  for (const [path, ready] of paths) {
    if (usual !== null) await page.setViewportSize(usual);
    await page.goto(`${url}/#${path}`);
    await page.getByText(ready).first().waitFor();
    await expectAccessibleInBothThemes(page);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    await expectAccessibleOnPhone(page);
  }
}

/** A token of the role, in the tenant of the server. */
export async function tokenOf({ client }: Server, role: 'viewer' | 'developer'): Promise<string> {
  return (await client.createToken({ role })).token;
}

/** The texts of a column of a table, by its header: all at one moment, so that no row is waited for that has gone meanwhile. */
export async function column(page: Page, table: string, header: string): Promise<readonly string[]> {
  const [headers = [], ...rows] = await page
    .getByRole('table', { name: table })
    .locator('tr')
    .evaluateAll((all) => all.map(({ children }) => [...children].map(({ textContent }) => textContent.trim())));
  expect(headers).toContain(header);
  const index = headers.indexOf(header);
  return rows.map((cells) => cells[index] ?? '');
}
