// What a piece of a command means, where the pointer rests and by F1.
import { expect, expectAxeClean, expectNoSidewaysScroll, openPage, SIZES, terminal, test, type } from './fixtures.mjs';

const tip = (page) => page.locator('[data-capas="gloss"]');
const list = (page) => page.getByRole('dialog', { name: 'Qué dice esta línea' });

/** Rests the pointer on `word` of the row that holds `text`. */
async function pointAt(page, text, word) {
  const row = terminal(page).locator('[data-capas="row"]').filter({ hasText: text }).first();
  const box = await row.evaluate((element, wanted) => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const at = node.data.indexOf(wanted);
      if (at < 0) continue;
      const range = document.createRange();
      range.setStart(node, at);
      range.setEnd(node, at + wanted.length);
      const { x, y, width, height } = range.getBoundingClientRect();
      return { x: x + Math.min(width / 2, 6), y: y + height / 2 };
    }
    return undefined;
  }, word);
  expect(box, `${word} in ${text}`).toBeTruthy();
  await page.mouse.move(box.x - 1, box.y);
  await page.mouse.move(box.x, box.y);
}

test('a flag, its value and an image are explained where the pointer rests', async ({ page }) => {
  await openPage(page);
  await type(page, 'docker run -d --rm -p 9003:8003 --name web kubernetescourse/slides-docker');
  await pointAt(page, 'docker run', '--rm');
  await expect(tip(page)).toContainText('Borra el contenedor');
  await expect(tip(page)).toContainText('Automatically remove the container');
  await expectAxeClean(page);
  await pointAt(page, 'docker run', '9003:8003');
  await expect(tip(page)).toContainText('El puerto 9003 del host lleva al 8003 del contenedor');
  await expect(tip(page)).toContainText('Ahora mismo el 9003 del host ya lleva a web');
  await pointAt(page, 'docker run', 'kubernetescourse');
  await expect(tip(page)).toContainText('Ya está en este equipo');
  await page.keyboard.press('Escape');
  await expect(tip(page)).toHaveCount(0);
});

test('output that only looks like a command is not explained', async ({ page }) => {
  await openPage(page);
  await type(page, 'echo docker run --rm; echo nada -p');
  await pointAt(page, /^nada/, '-p');
  await page.waitForTimeout(600);
  await expect(tip(page)).toHaveCount(0);
});

for (const size of SIZES) {
  test(`F1 explains the line that is typed, and the last one at an empty prompt, ${size.width} px wide`, async ({ page }) => {
    await page.setViewportSize(size);
    await openPage(page);
    await terminal(page).locator('[data-capas="keys"]').focus();
    await page.keyboard.type('docker container exec -ti instancia1 sh -c "ls | wc -l"');
    await page.keyboard.press('F1');
    await expect(list(page)).toBeVisible();
    await expect(list(page)).toContainText('Ahora mismo no hay ningún contenedor instancia1');
    await expect(list(page)).toContainText('Una terminal de verdad');
    await expectAxeClean(page);
    await expectNoSidewaysScroll(page);
    await page.keyboard.press('Escape');
    await expect(list(page)).toBeHidden();
    await expect(terminal(page).locator('[data-capas="keys"]')).toBeFocused();
    await page.keyboard.press('Control+u');
    await type(page, 'docker image ls -q');
    await page.keyboard.press('F1');
    await expect(list(page)).toContainText('docker image ls');
    await page.keyboard.press('Escape');
  });
}
