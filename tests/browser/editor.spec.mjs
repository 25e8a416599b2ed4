// The editor of host files, opened by `edit`, by a click, or from where vi runs.
import { expect, expectAxeClean, openPage, terminal, terminalText, test, type } from './fixtures.mjs';

const area = (page) => page.locator('[data-capas="editor"]:visible');
const stage = (page) => page.locator('[data-capas="stage"]');

test('edit FILE opens it, Ctrl-S saves it on the host', async ({ page }) => {
  await openPage(page);
  await type(page, 'mkdir app; cd app; edit Dockerfile');
  await expect(area(page)).toBeFocused();
  await page.keyboard.type('FROM alpine\nRUN echo hola > /x\n');
  await expect(stage(page)).toContainText('Sin guardar');
  await page.keyboard.press('Control+s');
  await expect(stage(page)).toContainText('Guardado');
  await type(page, 'cat Dockerfile; docker build -q .', { timeout: 60_000 });
  expect(await terminalText(page)).toContain('\nFROM alpine\nRUN echo hola > /x\n');
  expect(await terminalText(page)).toMatch(/\nsha256:[0-9a-f]{64}/);
  await expectAxeClean(page);
});

test('undo is the browser\'s, Tab writes a tab, Escape and Tab leaves', async ({ page }) => {
  await openPage(page);
  await type(page, 'edit x.txt');
  await page.keyboard.type('uno');
  await page.keyboard.press('Tab');
  await page.keyboard.type('dos');
  await expect(area(page)).toHaveValue('uno\tdos');
  await page.keyboard.press('Control+z');
  await expect(area(page)).not.toHaveValue('uno\tdos');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  await expect(area(page)).not.toBeFocused();
});

test('what a command writes shows, and does not overwrite what is being typed', async ({ page }) => {
  await openPage(page);
  await type(page, 'echo uno > f; edit f');
  await expect(area(page)).toHaveValue('uno\n');
  await type(page, 'echo dos > f');
  await expect(area(page)).toHaveValue('dos\n');
  await area(page).fill('mío\n');
  await type(page, 'echo tres > f');
  await expect(area(page)).toHaveValue('mío\n');
  await stage(page).getByRole('button', { name: 'Leer lo nuevo' }).click();
  await expect(area(page)).toHaveValue('tres\n');
});

test('files that one may not write say so, those that are not text too', async ({ page }) => {
  await openPage(page);
  await type(page, 'edit /etc/hosts');
  await area(page).fill('nada');
  await page.keyboard.press('Control+s');
  await expect(stage(page).getByRole('alert')).toContainText('No tienes permiso');
  await type(page, 'cat /etc/hosts; edit /bin/ls');
  expect(await terminalText(page)).toContain('127.0.0.1 localhost');
  await expect(stage(page)).toContainText('no es texto');
});

test('two files stay open, with what was typed; closing asks once', async ({ page }) => {
  await openPage(page);
  await type(page, 'edit a; edit b');
  await page.keyboard.type('en b');
  await stage(page).getByRole('button', { name: 'a', exact: true }).click();
  await page.keyboard.type('en a');
  await stage(page).getByRole('button', { name: /^b/ }).click();
  await expect(area(page)).toHaveValue('en b');
  await stage(page).getByRole('button', { name: 'Cerrar b' }).click();
  await expect(stage(page)).toContainText('¿Cerrar sin guardar?');
  await stage(page).getByRole('button', { name: 'Cerrar b' }).click();
  await expect(stage(page).getByRole('button', { name: /^b/ })).toHaveCount(0);
});

test('vi offers the page\'s editor', async ({ page }) => {
  await openPage(page);
  await type(page, 'echo texto > notas; vi notas', { wait: false });
  await page.getByRole('button', { name: /notas en el editor/ }).click();
  await expect(area(page)).toHaveValue('texto\n');
  await terminal(page).locator('[data-capas="keys"]').focus();
  await page.keyboard.type(':q\n');
  await expect(page.getByRole('button', { name: /notas en el editor/ })).toHaveCount(0);
});

test('the layer below has the same lines as the text', async ({ page }) => {
  await openPage(page);
  await type(page, 'edit Dockerfile');
  await area(page).fill(`FROM alpine\n${'RUN true # una línea bastante larga para que haga falta desplazarse\n'.repeat(80)}`);
  const [text, layer] = await area(page).evaluate((element) => [
    element.scrollHeight <= element.clientHeight + 1, element.previousElementSibling.innerText.trimEnd(),
  ]);
  expect(text, 'the text area is as high as its text').toBe(true);
  expect(layer.split('\n').filter((line) => line.includes('RUN true'))).toHaveLength(80);
});
