// The page as such: it loads, has a name and a language, and breaks no rule of accessibility at any size.
import { expect, expectAxeClean, expectNoSidewaysScroll, SIZES, test } from './fixtures.mjs';

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
