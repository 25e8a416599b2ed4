// The page as such: it loads, has a name and a language, and breaks no rule of accessibility at any size.
import { expect, expectAxeClean, expectNoSidewaysScroll, openPage, SIZES, terminal, test, type } from './fixtures.mjs';

test('the page has a title, a language and a root', async ({ page }) => {
  await page.goto('./');
  await expect(page).toHaveTitle(/Capas/);
  await expect(page.locator('html')).toHaveAttribute('lang', 'es');
  await expect(page.locator('#app')).toBeAttached();
});

for (const colorScheme of ['light', 'dark']) {
  for (const viewport of SIZES) {
    test(`axe finds nothing at ${viewport.width} px, ${colorScheme}`, async ({ page }) => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(viewport);
      await page.goto('./');
      await page.waitForLoadState('networkidle');
      await expectAxeClean(page);
      await expectNoSidewaysScroll(page);
    });
  }
}

test('the prompt takes keys before the rest of the program has come', async ({ page }) => {
  // If this fails, what runs before the prompt has changed: `./dev profile` notes it anew.
  let release;
  const held = new Promise((done) => { release = done; });
  await page.route('**/*_rest.wasm', async (route) => { await held; await route.continue(); });
  await openPage(page);
  await expect(terminal(page)).toContainText('$');
  // What comes next may wait for it.
  release();
  await type(page, 'docker ps');
  await expect(terminal(page)).toContainText('CONTAINER ID');
});
