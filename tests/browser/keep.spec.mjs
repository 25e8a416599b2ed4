// The session survives: reload, crash, lost tab, link, file, starting anew; and what can't be read changes nothing.
import { readFile } from 'node:fs/promises';
import { test as checked, expect, openPage, type, waitForPrompt, terminal } from './fixtures.mjs';
import { test as plain } from '@playwright/test';

const test = checked;
const bar = (page) => page.locator('[data-capas="timeline"]');
const notice = (page) => page.locator('[data-capas="notice"]');
const shown = (page, text) => expect(terminal(page).locator('[data-capas="row"]').filter({ hasText: text }).first()).toBeVisible();

/** Everything typed is in the database: saving waits for a pause. */
async function saved(page) {
  await expect.poll(() => page.evaluate(() => new Promise((done) => {
    const open = indexedDB.open('capas');
    open.onsuccess = () => {
      const database = open.result;
      if (!database.objectStoreNames.contains('sessions')) return done(0);
      const all = database.transaction('sessions').objectStore('sessions').getAll();
      all.onsuccess = () => done(Math.max(0, ...all.result.map((row) => row[3])));
    };
    open.onerror = () => done(0);
  }))).toBeGreaterThan(0);
  await page.waitForTimeout(500);
}

async function menu(page, name) {
  await page.locator('button[data-capas="session"]').click();
  await page.getByRole('dialog', { name: 'Session' }).getByRole('button', { name }).click();
}

test('a reload brings the session back, with what was half typed and with its timeline', async ({ page }) => {
  await openPage(page, './?lang=en&speed=instant');
  await type(page, 'docker pull alpine');
  await type(page, 'echo kept > f');
  await saved(page);
  await page.reload();
  await waitForPrompt(page);
  await expect(notice(page)).toContainText('Session restored: 2 commands');
  await expect(bar(page)).toHaveAttribute('data-commands', '2');
  await shown(page, 'Status: Downloaded newer image');
  await type(page, 'cat f');
  await shown(page, /^kept$/);
  await saved(page);
  await page.reload();
  await waitForPrompt(page);
  await expect(bar(page)).toHaveAttribute('data-commands', '3');
});

test('a tab that is lost is taken up by the next one; a tab beside it gets its own session', async ({ context }) => {
  const first = await context.newPage();
  await openPage(first, './?lang=en');
  await type(first, 'echo first > f');
  await saved(first);
  const second = await context.newPage();
  await openPage(second, './?lang=en');
  await expect(bar(second)).toHaveAttribute('data-commands', '0');
  await type(second, 'echo second > f');
  await saved(second);
  await type(first, 'cat f');
  await shown(first, /^first$/);
  await saved(first);
  await first.close();
  const third = await context.newPage();
  await openPage(third, './?lang=en');
  await expect(bar(third)).toHaveAttribute('data-commands', '2');
  await shown(third, /^first$/);
});

test('a link carries the session; nothing of the one that was here is lost', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await openPage(page, './?lang=en&speed=instant');
  await type(page, 'docker create --name linked alpine');
  await menu(page, 'Copy a link');
  await expect(notice(page)).toContainText('Link copied');
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).toContain('#s=ypoB');
  expect(link.length).toBeLessThan(1500);

  const other = await context.newPage();
  await openPage(other, './?lang=en&speed=instant');
  await type(other, 'echo mine');
  await other.evaluate((hash) => { location.hash = hash; }, new URL(link).hash);
  await waitForPrompt(other);
  await expect(notice(other)).toContainText('The session is open');
  await shown(other, 'docker create --name linked alpine');
  expect(new URL(other.url()).hash).toBe('');
  await notice(other).getByRole('button', { name: 'Go back to it' }).click();
  await shown(other, /^mine$/);

  const fresh = await context.newPage();
  await openPage(fresh, link);
  await expect(bar(fresh)).toHaveAttribute('data-commands', '1');
});

test('links that can\'t be read say why and change nothing', async ({ page }) => {
  await openPage(page, './?lang=en');
  await type(page, 'echo here');
  const broken = {
    'AAAA': 'not a Capas session',
    'ypoJAAAA': 'another version of Capas (form 9)',
    'ypoB': 'cut off',
    'ypoBeNpjYGBg': 'cut off',
    'ypoBAAAAAAAAAAAA': 'damaged',
    '%00<script>': 'not a Capas session',
  };
  for (const [code, why] of Object.entries(broken)) {
    await page.evaluate((hash) => { location.hash = hash; }, `s=${code}`);
    await expect(notice(page), code).toContainText(why);
    await expect(notice(page)).toContainText('Nothing was changed');
    await shown(page, /^here$/);
  }
  await page.evaluate(() => { location.hash = `s=${'A'.repeat(17 << 20)}`; });
  await expect(notice(page)).toContainText('too large');
  await type(page, 'echo still');
  await shown(page, /^still$/);
});

test('a file is saved and opened; other files are refused', async ({ page }) => {
  await openPage(page, './?lang=en');
  await type(page, 'echo filed > f');
  const download = page.waitForEvent('download');
  await menu(page, 'Save to a file');
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/\.capas$/);
  const bytes = await readFile(await file.path());
  await menu(page, 'Start anew');
  await waitForPrompt(page);
  await expect(bar(page)).toHaveAttribute('data-commands', '0');
  const input = page.locator('[data-capas="import"]');
  await input.setInputFiles({ name: 'a.capas', mimeType: 'application/octet-stream', buffer: bytes });
  await expect(bar(page)).toHaveAttribute('data-commands', '1');
  await waitForPrompt(page);
  await type(page, 'cat f');
  await shown(page, /^filed$/);
  await input.setInputFiles({ name: 'x.png', mimeType: 'image/png', buffer: Buffer.from('\x89PNG') });
  await expect(notice(page)).toContainText('not a Capas session');
  await input.setInputFiles({ name: 'a.capas', mimeType: '', buffer: bytes.subarray(0, bytes.length - 9) });
  await expect(notice(page)).toContainText('cut off');
});

test('starting anew can be undone', async ({ page }) => {
  await openPage(page, './?lang=en');
  await type(page, 'echo before');
  await menu(page, 'Start anew');
  await expect(notice(page)).toContainText('Docker is empty again');
  await notice(page).getByRole('button', { name: 'Go back to it' }).click();
  await shown(page, /^before$/);
});

// Without the fixture's watch: a page that breaks writes to the console.
plain('a page that broke says so, and one click goes on without what was typed last', async ({ page }) => {
  await page.goto('./?lang=en');
  await waitForPrompt(page);
  await type(page, 'echo safe');
  await saved(page);
  await page.evaluate(() => sessionStorage.setItem('capas.broken', '1'));
  await page.reload();
  await waitForPrompt(page);
  await expect(notice(page)).toContainText('without what was typed last');
  await expect(terminal(page)).toContainText('echo safe');
  await expect(bar(page)).toHaveAttribute('data-commands', '0');
});

plain('where nothing can be kept the page works and says so once', async ({ page }) => {
  await page.addInitScript(() => {
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB']) {
      Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError'); } });
    }
  });
  await page.goto('./?lang=en');
  await waitForPrompt(page);
  await expect(notice(page)).toContainText('lets nothing be kept');
  await notice(page).getByRole('button', { name: 'Close' }).click();
  await type(page, 'echo fine');
  await shown(page, /^fine$/);
  await expect(notice(page)).toHaveText('');
});
