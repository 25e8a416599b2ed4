// What surrounds a terminal: two at once, search, ids, copies, sizes, a long memory, screen readers, scaled pages.
import fs from 'node:fs';
import { expect, expectAxeClean, openPage, terminal, terminalText, test, type, waitForPrompt } from './fixtures.mjs';

const menu = async (page, name) => {
  await page.getByRole('button', { name: 'Más de la terminal' }).click();
  await page.getByRole('button', { name, exact: true }).click();
};
const close = (page) => page.keyboard.press('Escape');
const rows = (page) => terminal(page).locator('[data-capas="row"]');

test('two terminals side by side are on one machine, and the keyboard goes where it was put', async ({ page }) => {
  await openPage(page);
  await menu(page, 'Dividir en dos');
  const both = page.locator('[data-capas="terminal"]:visible');
  await expect(both).toHaveCount(2);
  await expect(both.nth(1)).toHaveAttribute('data-ready', 'true');
  await both.nth(1).locator('[data-capas="keys"]').focus();
  await page.keyboard.type('echo abajo > /tmp/x\n');
  await both.nth(0).locator('[data-capas="keys"]').focus();
  await page.keyboard.type('cat /tmp/x\n');
  await expect(both.nth(0).locator('[data-capas="row"]').filter({ hasText: /^abajo$/ })).toBeVisible();
  await expectAxeClean(page);
  await menu(page, 'Dejar una sola');
  await expect(both).toHaveCount(1);
});

test('a terminal inside a container says so in words and colour, and again on the host', async ({ page }) => {
  await openPage(page);
  await type(page, 'docker run -it --name dentro alpine', { wait: false });
  const tab = page.getByRole('button', { name: /Terminal 1/ });
  await expect(tab).toContainText('contenedor dentro', { timeout: 30_000 });
  await expect(page.locator('[data-place="dentro"]')).toBeVisible();
  await page.keyboard.type('exit\n');
  await waitForPrompt(page);
  await expect(tab).not.toContainText('contenedor');
});

test('the search finds what has scrolled away, walks through it and closes', async ({ page }) => {
  await openPage(page);
  await type(page, 'i=0; while [ $i -lt 1500 ]; do echo "linea $i"; i=$((i + 1)); done', { timeout: 60_000 });
  await page.keyboard.press('Control+Shift+F');
  await page.keyboard.type('LINEA 7');
  await expect(page.getByRole('search')).toContainText('111 de 111');
  await expect(rows(page).filter({ hasText: /^linea 799$/ })).toBeInViewport();
  await page.keyboard.press('Shift+Enter');
  await expect(page.getByRole('search')).toContainText('1 de 111');
  await expect(rows(page).filter({ hasText: /^linea 7$/ })).toBeInViewport();
  await expectAxeClean(page);
  await close(page);
  await expect(page.getByRole('search')).toHaveCount(0);
  await page.keyboard.type('echo sigue\n');
  await expect(rows(page).filter({ hasText: /^sigue$/ })).toBeInViewport();
});

test('an id can be written at the prompt, copied, and found in the layers', async ({ page }) => {
  await openPage(page);
  await type(page, 'docker pull -q ubuntu; docker run -d --name caja ubuntu sleep 1000; docker ps', { timeout: 60_000 });
  const id = await terminal(page).locator('[data-id]').last().getAttribute('data-id');
  expect(id).toMatch(/^[0-9a-f]{12}$/);
  await terminal(page).locator(`[data-id="${id}"]`).last().click();
  await page.getByRole('button', { name: 'Escribir en la línea' }).click();
  await expect.poll(() => terminalText(page)).toMatch(new RegExp(`\\$ ${id}$`));
  await terminal(page).locator(`[data-id="${id}"]`).last().click();
  await page.getByRole('button', { name: 'Ver en las capas' }).click();
  await expect(page.locator('[data-container="caja"]')).toBeInViewport();
});

test('all can be copied as text and as Markdown, and downloaded as a recording', async ({ page }) => {
  await openPage(page);
  await type(page, "printf 'a\\033[31mrojo\\033[0m\\n'");
  await page.getByRole('button', { name: 'Más de la terminal' }).click();
  await page.getByRole('button', { name: 'Copiar todo como texto' }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('\narojo\n');
  await page.getByRole('button', { name: 'Copiar todo como Markdown' }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^```console\n[^]*\narojo\n[^]*\n```\n$/);
  const [download] = await Promise.all([
    page.waitForEvent('download'), page.getByRole('button', { name: /asciicast/ }).click(),
  ]);
  const [head, ...events] = fs.readFileSync(await download.path(), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  expect(head).toMatchObject({ version: 2 });
  expect(events.map((event) => event[2]).join('')).toContain('a\x1b[31mrojo\x1b[0m');
  expect(events.every(([time, kind], at) => kind === 'o' && time >= (events[at - 1]?.[0] ?? 0))).toBe(true);
});

test('letters get larger, the machine learns of the new size, and it is remembered', async ({ page }) => {
  await openPage(page);
  const columns = async () => {
    await type(page, 'stty size');
    return Number([...(await terminalText(page)).matchAll(/^\d+ (\d+)$/gm)].at(-1)[1]);
  };
  const before = await columns();
  await page.getByRole('button', { name: 'Más de la terminal' }).click();
  await page.getByRole('button', { name: 'Letra más grande' }).click();
  await page.getByRole('button', { name: 'Letra más grande' }).click();
  await close(page);
  await page.waitForTimeout(200);
  const after = await columns();
  expect(after).toBeLessThan(before);
  await page.reload();
  await waitForPrompt(page);
  expect(await columns()).toBe(after);
});

test('a hundred thousand lines pass and stay, and few of them are drawn', async ({ page }) => {
  test.setTimeout(180_000);
  await openPage(page);
  await type(page, 'seq 1 100000', { timeout: 120_000 });
  expect(await rows(page).count()).toBeLessThan(1_000);
  await expect(rows(page).filter({ hasText: /^100000$/ })).toBeInViewport();
  await page.keyboard.press('Control+Shift+F');
  await page.keyboard.type('31415');
  await expect(rows(page).filter({ hasText: /^31415$/ })).toBeInViewport();
  await close(page);
  const view = rows(page).first().locator('xpath=../..');
  await view.evaluate((element) => { element.scrollTop = 0; });
  await expect(rows(page).filter({ hasText: /^5$/ })).toBeInViewport();
  expect(await rows(page).count()).toBeLessThan(1_000);
});

test('in the screen-reader mode one log has what is printed, as it comes, and the rows are left out', async ({ page }) => {
  await openPage(page);
  await page.getByRole('button', { name: 'Más de la terminal' }).click();
  await page.getByRole('button', { name: /lectores de pantalla/ }).click();
  await close(page);
  await type(page, 'for i in uno dos tres; do echo $i; sleep 0.1; done');
  await expect(page.getByRole('log')).toHaveCount(1);
  for (const word of ['uno', 'dos', 'tres']) {
    await expect(page.getByRole('log').locator('p').filter({ hasText: new RegExp(`^${word}$`) })).toHaveCount(1);
  }
  await expect(rows(page).first()).toHaveAttribute('aria-hidden', 'true');
  await expectAxeClean(page);
});

test('in a page that is scaled, size, selection and clicks are right', async ({ page }) => {
  await openPage(page);
  await type(page, 'echo uno-dos-tres; docker pull -q busybox; docker images', { timeout: 60_000 });
  const size = async () => {
    await type(page, 'stty size');
    return [...(await terminalText(page)).matchAll(/^(\d+ \d+)$/gm)].at(-1)[1];
  };
  const before = await size();
  await page.evaluate(() => {
    document.getElementById('app').style.cssText = 'transform: scale(0.6); transform-origin: 40px 30px';
    window.dispatchEvent(new Event('resize'));
  });
  await page.waitForTimeout(200);
  expect(await size()).toBe(before);
  await rows(page).filter({ hasText: /^uno-dos-tres$/ }).dblclick({ position: { x: 0.6 * 42, y: 0.6 * 10 } });
  expect(await page.evaluate(() => getSelection().toString())).toBe('dos');
  const id = terminal(page).locator('[data-id]').last();
  await page.evaluate(() => getSelection().removeAllRanges());
  await id.click();
  const [at, of] = await Promise.all([page.getByRole('group', { name: /Qué hacer con/ }).boundingBox(), id.boundingBox()]);
  expect(Math.abs(at.y - of.y)).toBeLessThan(60);
});
