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

test('what is typed while the session comes back is not lost', async ({ page }) => {
  await openPage(page);
  await type(page, 'docker volume create datos');
  await saved(page);
  await page.reload();
  // As soon as there is something to type into, long before a prompt.
  await page.locator('[data-capas="keys"]').waitFor({ state: 'attached' });
  await page.locator('[data-capas="keys"]').focus();
  await page.keyboard.insertText('docker volume ls -q');
  await page.keyboard.press('Enter');
  await expect(page.locator('[data-capas="row"]').filter({ hasText: /^datos$/ })).toHaveCount(2, { timeout: 30_000 });
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

/** What the browser was given to keep. */
const kept = (page) => page.evaluate(async () => [
  ...Object.keys(localStorage), ...Object.keys(sessionStorage), ...(await indexedDB.databases()).map((database) => database.name),
]);

/** A page of somebody else's with Capas in a frame. */
async function around(page, query) {
  await page.route('**/around.html', (route) => route.fulfill({
    contentType: 'text/html; charset=utf-8',
    body: `<!DOCTYPE html><html lang="en"><title>Around</title><link rel="icon" href="data:,">
      <iframe title="Capas" src="index.html?${query}" style="width: 900px; height: 500px"></iframe></html>`,
  }));
  await page.goto('around.html');
  const inside = page.frameLocator('iframe');
  await expect(inside.locator('[data-capas="terminal"]')).toHaveAttribute('data-ready', 'true', { timeout: 30_000 });
  return inside;
}

/** Types into the terminal of a frame. */
async function typeInside(page, inside, command) {
  await inside.locator('[data-capas="keys"]').focus();
  await page.keyboard.type(`${command}\n`);
}

for (const query of ['embed=1&lang=en', 'lang=en', 'embed=1&lang=en&panes=terminal']) {
  test(`a frame writes nothing: ${query}`, async ({ page }) => {
    const inside = await around(page, query);
    await typeInside(page, inside, 'echo in""side');
    await expect(inside.locator('[data-capas="row"]').filter({ hasText: /^inside$/ })).toHaveCount(1);
    await page.waitForTimeout(800);
    expect(await kept(page)).toEqual([]);
    await page.reload();
    await expect(inside.locator('[data-capas="terminal"]')).toHaveAttribute('data-ready', 'true', { timeout: 30_000 });
    await expect(inside.locator('[data-capas="row"]').filter({ hasText: 'inside' })).toHaveCount(0);
  });
}

test('a frame that asks for it is kept under its name, apart from the page\'s own sessions', async ({ page, context }) => {
  const inside = await around(page, 'embed=1&lang=en&keep=deck');
  await typeInside(page, inside, 'echo in""side');
  await expect(inside.locator('[data-capas="row"]').filter({ hasText: /^inside$/ })).toHaveCount(1);
  await page.waitForTimeout(800);
  await page.reload();
  await expect(inside.locator('[data-capas="row"]').filter({ hasText: /^inside$/ })).toHaveCount(1, { timeout: 30_000 });
  const own = await context.newPage();
  await openPage(own, './?lang=en');
  await expect(bar(own)).toHaveAttribute('data-commands', '0');
});

test('a page in which nobody types writes nothing and can\'t be put in another\'s place', async ({ page }) => {
  await openPage(page, './?lang=en&readonly=1&run=echo+shown');
  await shown(page, /^shown$/);
  await page.waitForTimeout(800);
  expect(await kept(page)).toEqual([]);
  await expect(page.locator('button[data-capas="session"]')).toHaveCount(0);
});

test('commands of the address run on a machine of their own', async ({ page }) => {
  await openPage(page, './?lang=en');
  await type(page, 'echo mine > f');
  await saved(page);
  await openPage(page, './?lang=en&run=ls');
  await expect(bar(page)).toHaveAttribute('data-commands', '1');
  await expect(terminal(page)).not.toContainText('mine');
  // What was here is in the list.
  await page.locator('button[data-capas="session"]').click();
  await page.getByRole('dialog', { name: 'Session' }).getByRole('button', { name: /echo mine/ }).click();
  await waitForPrompt(page);
  await expect(terminal(page)).toContainText('echo mine > f');
});

test('a reload goes on with the lesson that was open', async ({ page }) => {
  const exercise = page.locator('[data-capas="exercise"]');
  await openPage(page, './?lang=es&speed=instant&lesson=primer-contenedor');
  await expect(exercise).toBeVisible();
  await waitForPrompt(page);
  await type(page, 'echo a medias');
  await page.waitForTimeout(800);
  await page.reload();
  await expect(exercise).toBeVisible();
  await waitForPrompt(page);
  await shown(page, /^a medias$/);
  // Another lesson begins with a machine of its own.
  await openPage(page, './?lang=es&lesson=capa-fina');
  await expect(exercise).toBeVisible();
  await waitForPrompt(page);
  await expect(terminal(page)).not.toContainText('a medias');
});

plain('a tab that crashes in the middle of a command is taken up where it was', async ({ context }) => {
  const page = await context.newPage();
  await page.goto('./?lang=en&speed=instant');
  await waitForPrompt(page);
  await type(page, 'docker pull alpine');
  await type(page, 'sleep 1000; echo never', { wait: false });
  await saved(page);
  const devtools = await context.newCDPSession(page);
  devtools.send('Page.crash').catch(() => {});
  await page.waitForEvent('crash');
  const next = await context.newPage();
  await next.goto('./?lang=en&speed=instant');
  await shown(next, 'sleep 1000; echo never');
  await next.locator('[data-capas="keys"]').first().focus();
  await next.keyboard.press('Control+c');
  await waitForPrompt(next);
  await type(next, 'docker images');
  await shown(next, /^alpine +latest/);
});
