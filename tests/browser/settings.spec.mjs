// Every setting: by the address and in the panel, kept over a reload.
import { test, expect, openPage, type, terminal, expectAxeClean, SIZES } from './fixtures.mjs';

const open = async (page) => { await page.locator('button[data-capas="settings"]').click(); };
const setting = (page, name) => page.locator(`select[data-setting="${name}"]`);

test('the address sets everything', async ({ page }) => {
  await openPage(page, './?lang=en&theme=contrast&motion=less&speed=4x&docker=classic&hints=off');
  const html = page.locator('html');
  await expect(html).toHaveAttribute('data-theme', 'contrast');
  await expect(html).toHaveAttribute('data-motion', 'less');
  await expect(page.locator('#start')).toBeHidden();
  await type(page, 'echo $DOCKER_BUILDKIT.');
  await expect(terminal(page)).toContainText('0.');
  await open(page);
  for (const [name, value] of [['theme', 'contrast'], ['motion', 'less'], ['speed', '4x'], ['docker', 'classic'], ['hints', 'off']]) {
    await expect(setting(page, name)).toHaveValue(value);
  }
  await expectAxeClean(page);
});

test('what is chosen in the panel is kept', async ({ page }) => {
  await openPage(page, './?lang=en');
  await open(page);
  await setting(page, 'theme').selectOption('dark');
  await setting(page, 'hints').selectOption('off');
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect(page.locator('html')).toHaveAttribute('data-hints', 'off');
});

test('instant commands take no time, but what is at the prompt does', async ({ page }) => {
  await openPage(page, './?lang=en&speed=instant');
  const begin = Date.now();
  await type(page, 'sleep 30; echo awa""ke');
  await expect(terminal(page)).toContainText('awake');
  expect(Date.now() - begin).toBeLessThan(8_000);
});

test('the classic builder is asked for at the prompt, where everybody sees it', async ({ page }) => {
  await openPage(page, './?lang=en&motion=less');
  await open(page);
  await setting(page, 'docker').selectOption('classic');
  await expect(terminal(page)).toContainText('export DOCKER_BUILDKIT=0');
});

for (const theme of ['light', 'dark', 'contrast']) {
  for (const size of SIZES) {
    test(`both panels are accessible: ${theme}, ${size.width} px`, async ({ page }) => {
      await page.setViewportSize(size);
      await openPage(page, `./?lang=en&theme=${theme}`);
      await open(page);
      await expectAxeClean(page);
      await page.keyboard.press('Escape');
      await page.locator('button[data-capas="session"]').click();
      await expectAxeClean(page);
    });
  }
}

for (const size of SIZES) {
  test(`what is simulated is listed from the tables: ${size.width} px`, async ({ page }) => {
    await page.setViewportSize(size);
    await openPage(page, './?lang=en');
    await open(page);
    await page.getByRole('button', { name: 'What is simulated' }).click();
    const panel = page.locator('[data-capas="fidelity"]');
    await expect(panel.getByRole('row', { name: /^docker container diff/ })).toContainText('All of it');
    await expect(panel.getByRole('row', { name: /^docker trust/ })).toContainText('No');
    await expect(panel).toContainText('HEALTHCHECK');
    await expectAxeClean(page);
    await page.keyboard.press('Escape');
    await expect(panel).toBeHidden();
  });
}
