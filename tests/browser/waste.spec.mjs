// What an image stores and hides, inside its layers: the score, the hidden files with the layers that hold and hide them,
// and the remedy, with the saving that building it gave, written into the Dockerfile.
import { expect, expectAxeClean, expectNoSidewaysScroll, openPage, SIZES, terminalText, test, type } from './fixtures.mjs';

const pane = (page) => page.locator('[data-capas="layers"]');
const waste = (page) => page.locator('[data-capas="waste"]');

async function withWaste(page, address) {
  await openPage(page, address);
  await type(page, "mkdir app; printf 'FROM alpine\\nRUN cp /bin/busybox /big\\nRUN rm /big\\n' > app/Dockerfile");
  await type(page, 'docker build -q -t gorda app');
  // On a phone the layers are behind a tab.
  const tab = page.getByRole('button', { name: /^(Capas|Layers)$/, exact: true });
  if (page.viewportSize().width < 640) await tab.click();
  // A picture that is drawn anew between press and release has another image there.
  const inside = page.getByRole('button', { name: /^(Lo que sobra|Waste)/ });
  await expect(async () => {
    await pane(page).locator('[data-image="gorda:latest"]').click();
    await expect(inside).toBeVisible({ timeout: 5_000 });
  }).toPass();
  await inside.click();
  await expect(waste(page)).toBeVisible();
}

test('a deleted file is listed with the layer that stores it and the one that deletes it', async ({ page }) => {
  await withWaste(page);
  await expect(waste(page).locator('[data-capas="efficiency"]')).toHaveText(/^\d\d %$/);
  const hidden = waste(page).locator('[data-capas="hidden"]');
  await expect(hidden).toHaveCount(1);
  await expect(hidden).toContainText('/big');
  await expect(hidden).toContainText('lo guarda la capa 2');
  await expect(hidden).toContainText('lo borra la capa 3');
  await expectAxeClean(page);
  // The same colours as in the list of layers.
  const colour = (locator) => locator.evaluate((element) => getComputedStyle(element).getPropertyValue('--h'));
  const stack = page.getByRole('list', { name: 'Capas, la de arriba primero' }).getByRole('button');
  expect(await colour(hidden.getByRole('button', { name: 'lo guarda la capa 2' }))).toBe(await colour(stack.nth(1)));
  await hidden.getByRole('button', { name: '/big' }).click();
  await expect(page.locator('[data-capas="file"]')).toContainText('whiteout de /big');
  await hidden.getByRole('button', { name: 'lo borra la capa 3' }).click();
  await expect(page.getByRole('treeitem', { name: /^big, tapado/ })).toBeVisible();
});

test('a remedy is built, shown with what it saves, and written into the Dockerfile', async ({ page }) => {
  await withWaste(page);
  await expect(waste(page)).toContainText('La hizo /home/alumno/app/Dockerfile.');
  await waste(page).locator('[data-capas="look"]').click();
  const remedy = waste(page).locator('[data-capas="remedy"]');
  await expect(remedy).toHaveCount(1);
  await expect(remedy).toContainText('Borrar en el mismo paso que crea');
  await expect(remedy).toContainText(/[\d.]+[kM]B menos: de [\d.]+MB a [\d.]+MB/);
  await expect(remedy.getByLabel('Líneas que cambian')).toContainText('&& rm /big');
  await expectAxeClean(page);
  await remedy.locator('[data-capas="apply"]').click();
  await expect(page.locator('[data-capas="editor"]')).toHaveValue(/RUN cp \/bin\/busybox \/big \\\n && rm \/big/);
  await type(page, 'clear; docker build -q -t flaca app; docker images --format "{{.Repository}} {{.Size}}"');
  const sizes = Object.fromEntries([...(await terminalText(page)).matchAll(/^(gorda|flaca) ([\d.]+)MB$/gm)].map((m) => [m[1], Number(m[2])]));
  expect(sizes.flaca).toBeLessThan(sizes.gorda);
});

test('an image without waste says so, and one that was pulled has no Dockerfile here', async ({ page }) => {
  await openPage(page, './?lang=en');
  await type(page, 'docker pull alpine');
  await pane(page).locator('[data-image="alpine:latest"]').click();
  await page.getByRole('button', { name: 'Waste', exact: true }).click();
  await expect(waste(page)).toContainText('100 % of the stored bytes are seen');
  await expect(waste(page)).toContainText('no layer hides files of another');
  await expect(waste(page)).toContainText('No Dockerfile in your folder makes this very image');
  await expectAxeClean(page);
});

for (const size of SIZES) {
  for (const theme of ['light', 'dark', 'contrast']) {
    test(`waste looks finished at ${size.width} in ${theme}`, async ({ page }) => {
      await page.setViewportSize(size);
      await withWaste(page, `./?theme=${theme}`);
      await waste(page).locator('[data-capas="look"]').click();
      await expect(waste(page).locator('[data-capas="remedy"]')).toBeVisible();
      await expectNoSidewaysScroll(page);
      const pastTheEdge = await pane(page).evaluate((pane) => {
        const edge = pane.getBoundingClientRect().right;
        return [...pane.querySelectorAll('button, select, input')].filter((one) => one.getBoundingClientRect().right > edge + 1)
          .map((one) => one.textContent);
      });
      expect(pastTheEdge, 'controls that stick out of the pane').toEqual([]);
      await expectAxeClean(page);
      if (process.env.CAPAS_SHOTS) await page.screenshot({ path: `${process.env.CAPAS_SHOTS}/waste-${size.width}-${theme}.png` });
    });
  }
}
