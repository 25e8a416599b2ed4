// The recorder: what an author does becomes a Markdown file. tests/recorded/ holds what comes of it here; a host test
// (tests/exercises.rs) proves that file as `capas test` does.
import fs from 'node:fs';
import { test, expect, openPage, waitForPrompt, type, expectAxeClean } from './fixtures.mjs';

const RECORDED = new URL('../recorded/una-copia-a-mano.md', import.meta.url);
const recorder = (page) => page.locator('[data-capas="recorder"]');
const button = (page, name) => recorder(page).locator(`[data-capas="${name}"]`);

async function begin(page) {
  await openPage(page, './?lang=es&lesson');
  await type(page, 'touch de-antes');
  await recorder(page).locator('summary').click();
  await expect(button(page, 'record-from')).toBeVisible();
  await button(page, 'record').click();
  await waitForPrompt(page);
}

test('what the author does becomes an exercise that holds', async ({ page }) => {
  await begin(page);
  // A new computer: what was done before is no part of it.
  await expect(recorder(page)).toContainText('Todavía nada.');
  await type(page, 'docker run -d --name caja busybox sleep infinity', { timeout: 60_000 });
  await expect(recorder(page).locator('li')).toHaveText(['docker run -d --name caja busybox sleep infinity']);
  await expectAxeClean(page);
  await button(page, 'record-start').click();
  await type(page, 'cat > nota.txt', { wait: false });
  await page.keyboard.type('hola y adiós\n');
  await page.keyboard.press('Control+d');
  await waitForPrompt(page);
  await type(page, 'docker cp nota.txt caja:/tmp/nota.txt');
  await type(page, 'docker exec -ti caja sh', { wait: false });
  await expect(page.locator('[data-capas="row"]').filter({ hasText: /^\/ #/ })).toHaveCount(1);
  await page.keyboard.type('echo más >> /tmp/nota.txt\n');
  await page.keyboard.press('Control+d');
  await waitForPrompt(page);
  await type(page, 'docker commit caja copia');
  await expect(recorder(page).locator('li')).toHaveText(['cat > nota.txt', '» hola y adiós', '» ^D',
    'docker cp nota.txt caja:/tmp/nota.txt', 'docker exec -ti caja sh', '» echo más >> /tmp/nota.txt', '» ^D',
    'docker commit caja copia']);
  await recorder(page).getByLabel('Título').fill('Una copia a mano');
  await button(page, 'record-end').click();
  await expect(button(page, 'record-holds')).toBeVisible({ timeout: 30_000 });
  await expectAxeClean(page);
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'record-save').click()]);
  expect(download.suggestedFilename()).toBe('una-copia-a-mano.md');
  const text = fs.readFileSync(await download.path(), 'utf8');
  if (process.env.UPDATE_RECORDED) fs.writeFileSync(RECORDED, text);
  expect(text).toBe(fs.readFileSync(RECORDED, 'utf8'));
  // What the author changes is proved anew, and a mistake is told.
  const area = recorder(page).locator('textarea');
  await area.fill(text.replace(/^image copia.*$/m, 'image copia on scratch'));
  await button(page, 'record-prove').click();
  await expect(button(page, 'record-flaws')).toContainText('la solución no cumple', { timeout: 30_000 });
  await area.fill(text);
  // It opens as any exercise does.
  await button(page, 'record-try').click();
  await expect(page.getByRole('heading', { name: 'Una copia a mano' })).toBeVisible();
  await expect(page.locator('[data-capas="exercise"]')).toHaveAttribute('data-ready', 'true', { timeout: 30_000 });
  await expect(page.locator('[data-container="caja"]')).toBeVisible();
});

test('a recording ends when the computer is another one', async ({ page }) => {
  await begin(page);
  await type(page, 'touch x');
  await button(page, 'record-start').click();
  await page.locator('[data-lesson="primer-contenedor"]').click();
  await expect(page.locator('[data-capas="exercise"]')).toHaveAttribute('data-ready', 'true', { timeout: 30_000 });
  await page.getByRole('button', { name: 'Todas las lecciones' }).click();
  await expect(recorder(page)).toContainText('El equipo es otro: lo grabado se ha perdido.');
  await button(page, 'record-cancel').click();
  await expect(button(page, 'record')).toBeVisible();
});

test('what is written in an editor of the terminal is recorded as the file it became', async ({ page }) => {
  await begin(page);
  await button(page, 'record-start').click();
  await type(page, 'nano saludo.txt', { wait: false });
  await expect(page.locator('[data-capas="row"]').filter({ hasText: 'GNU nano' })).toHaveCount(1);
  await page.keyboard.type('hoa\nadiós');
  for (const key of ['ArrowUp', 'End', 'ArrowLeft']) await page.keyboard.press(key);
  await page.keyboard.type('l');
  for (const key of ['Control+o', 'Enter', 'Control+x']) await page.keyboard.press(key);
  await waitForPrompt(page);
  await type(page, 'cp saludo.txt copia.txt');
  await expect(recorder(page).locator('li')).toHaveText(['saludo.txt', 'cp saludo.txt copia.txt']);
  await button(page, 'record-end').click();
  await expect(button(page, 'record-holds')).toBeVisible({ timeout: 30_000 });
  expect(await recorder(page).locator('textarea').inputValue()).toContain('```text path=saludo.txt\nhola\nadiós\n```');
});
