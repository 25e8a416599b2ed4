// What every browser test starts from: `import { test, expect, openPage, ... } from './fixtures.mjs'`.
//
// The page's marks that tests may rely on:
//   #app                                   the root
//   [data-capas="terminal"]                a terminal; data-ready="true" once its prompt takes keys, data-busy while a
//                                          command runs
//   [data-capas="keys"]                    its text area, the target of typing
//   [data-capas="row"]                     a row of its screen
//   [data-capas="layers"]                  the picture of layers
//   [data-layer="<12 hex digits>"]         one layer in it
import { AxeBuilder } from '@axe-core/playwright';
import { test as base, expect } from '@playwright/test';

/** The sizes that must look finished: a desk, a tablet, a phone. */
export const SIZES = [{ width: 1440, height: 900 }, { width: 768, height: 1024 }, { width: 390, height: 844 }];

// Every test fails on an error in the console, an uncaught exception (a panic of the engine is one), and a request that
// leaves this machine or fails.
export const test = base.extend({
  troubles: [async ({ page, baseURL }, use) => {
    const troubles = [];
    page.on('console', (message) => { if (message.type() === 'error') troubles.push(`console: ${message.text()}`); });
    page.on('pageerror', (error) => troubles.push(`uncaught: ${error}`));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(baseURL) && !/^(data|blob):/.test(url)) troubles.push(`request to ${url}`);
    });
    page.on('response', (response) => {
      if (response.status() >= 400) troubles.push(`${response.status()} for ${response.url()}`);
    });
    await use(troubles);
    expect(troubles, 'errors, panics and foreign requests of the page').toEqual([]);
  }, { auto: true }],
});

export { expect };

/** The terminal in front. */
export const terminal = (page) => page.locator('[data-capas="terminal"]:visible').first();

/** Opens the page and waits until the prompt takes keys. */
export async function openPage(page, path = './') {
  await page.goto(path);
  await waitForPrompt(page);
}

/** Waits until no command runs and the prompt takes keys. */
export async function waitForPrompt(page, timeout = 30_000) {
  const front = terminal(page);
  await expect(front).toHaveAttribute('data-ready', 'true', { timeout });
  await expect(front).not.toHaveAttribute('data-busy', /^(true)?$/, { timeout });
}

/** Types `command` and Enter as a person would. Waits for the prompt unless `{ wait: false }`. */
export async function type(page, command, { wait = true, timeout } = {}) {
  const keys = terminal(page).locator('[data-capas="keys"]');
  await keys.focus();
  await page.keyboard.type(command);
  await page.keyboard.press('Enter');
  // The page has drawn what the key did, data-busy included.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  if (wait) await waitForPrompt(page, timeout);
}

/** The text of the terminal, a line a row, without blanks at line ends and without empty lines at the end. */
export async function terminalText(page) {
  const rows = await terminal(page).locator('[data-capas="row"]').allTextContents();
  return rows.map((row) => row.replaceAll('\u00a0', ' ').trimEnd()).join('\n').trimEnd();
}

/** No violation of WCAG 2.2 A and AA that axe can see. */
export async function expectAxeClean(page) {
  // What is still fading in has no contrast yet.
  await page.evaluate(() => Promise.all(document.getAnimations()
    .filter((animation) => Number.isFinite(animation.effect.getComputedTiming().endTime))
    .map((animation) => animation.finished.catch(() => {}))));
  const results = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'])
    .analyze();
  const found = results.violations.map((v) => `${v.id}: ${v.help}\n  ${v.nodes.map((n) => n.html).join('\n  ')}`);
  expect(found, 'violations that axe found').toEqual([]);
}

/** Nothing sticks out at the sides: the page scrolls up and down only. */
export async function expectNoSidewaysScroll(page) {
  const [wide, seen] = await page.evaluate(() => {
    const root = document.documentElement;
    return [root.scrollWidth, root.clientWidth];
  });
  expect(wide, 'the width of the page against that of the window').toBeLessThanOrEqual(seen);
}
