// The picture of layers and what is inside them: files as a tree that keys walk, where a path is from, one colour a
// digest, what the picture shows of registries and of containers' files, and how it stays legible.
import { expect, expectAxeClean, expectNoSidewaysScroll, openPage, SIZES, terminalText, test, type } from './fixtures.mjs';

const pane = (page) => page.locator('[data-capas="layers"]');
const inside = (page) => page.locator('[data-capas="inside"]');
const tree = (page) => inside(page).getByRole('tree');
const item = (page, name) => tree(page).getByRole('treeitem', { name });
const active = (page) => tree(page).evaluate((tree) =>
  document.getElementById(tree.getAttribute('aria-activedescendant') ?? '')?.getAttribute('aria-label') ?? '');

async function withContainer(page) {
  await openPage(page);
  await type(page, 'docker run -d --name web alpine sleep 1000');
  await type(page, "docker exec web sh -c 'echo hola > /etc/motd; rm /etc/alpine-release; echo n > /home/nuevo'");
}

test('a container opens on its writable layer, with what it added, changed and hid', async ({ page }) => {
  await withContainer(page);
  await pane(page).getByRole('button', { name: 'web', exact: true }).click();
  await expect(tree(page)).toBeFocused();
  await expect(item(page, /^motd, cambiado/)).toBeVisible();
  await expect(item(page, /^alpine-release, tapado/)).toBeVisible();
  await expect(item(page, /^nuevo, añadido/)).toBeVisible();
  await item(page, /^motd/).click();
  const file = inside(page).locator('[data-capas="file"]');
  await expect(file).toContainText('hola');
  await expect(file).toContainText('tapado por la capa 3');
  await expectAxeClean(page);
  await item(page, /^alpine-release/).click();
  await expect(file).toContainText('whiteout de /etc/alpine-release');
});

test('keys alone lead into a layer, through its tree and back', async ({ page }) => {
  await openPage(page);
  await type(page, 'docker pull alpine');
  const slab = pane(page).locator('[data-layer]').first();
  await slab.focus();
  await page.keyboard.press('Enter');
  await expect(tree(page)).toBeFocused();
  await page.keyboard.press('ArrowDown');
  expect(await active(page)).toMatch(/^bin/);
  await page.keyboard.press('ArrowRight');
  await expect(item(page, /^bin/)).toHaveAttribute('aria-expanded', 'true');
  await page.keyboard.press('ArrowRight');
  expect(await active(page)).toMatch(/^(arch|ash|base64)/);
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await expect(item(page, /^bin/)).toHaveAttribute('aria-expanded', 'false');
  await page.keyboard.press('e');
  expect(await active(page)).toMatch(/^etc/);
  await page.keyboard.press('Escape');
  await expect(inside(page)).toHaveCount(0);
  await expect(slab).toBeFocused();
});

test('paths are found, layers compared, and bulk is called bulk', async ({ page }) => {
  await openPage(page);
  await type(page, 'docker pull nginx');
  await pane(page).locator('[data-image="nginx:latest"]').click();
  await inside(page).getByRole('button', { name: 'Todo lo que se ve' }).click();
  await inside(page).locator('[data-capas="file-filter"]').fill('nginx.conf');
  await item(page, /^nginx\.conf/).click();
  await expect(inside(page).locator('[data-capas="file"]')).toContainText('worker_processes');
  await inside(page).locator('[data-capas="file-filter"]').fill('sbin/nginx');
  await item(page, /^nginx/).last().click();
  await expect(inside(page).locator('[data-capas="file"]')).toContainText('se generan cuando alguien los lee');
  await inside(page).locator('[data-capas="file-filter"]').fill('');
  await inside(page).getByRole('combobox', { name: 'Comparar con' }).selectOption('0');
  await expect(item(page, /^docker-entrypoint\.d, añadido/)).toBeVisible();
  await expect(item(page, /^bin,/)).toHaveCount(0);
  await expectAxeClean(page);
});

test('an id has its colour in the terminal too, and either side lights up the other', async ({ page }) => {
  await openPage(page);
  await type(page, 'docker pull alpine');
  const slab = pane(page).locator('[data-layer]').first();
  const id = page.locator('[data-capas="row"] [data-spot]').first();
  await expect(id).toHaveCSS('text-decoration-line', 'underline');
  await slab.hover();
  await expect(id).toHaveAttribute('data-lit', '');
  await pane(page).getByRole('heading', { name: 'Capas' }).hover();
  await expect(id).not.toHaveAttribute('data-lit', '');
  await id.hover();
  await expect(slab).toHaveAttribute('data-lit', '');
  await type(page, 'docker rmi alpine');
  await pane(page).getByRole('heading', { name: 'Capas' }).hover();
  await expect(id).toHaveCSS('text-decoration-line', 'none');
});

test('the picture holds registry, host, volumes and what containers did to files', async ({ page }) => {
  await openPage(page);
  await type(page, 'docker pull alpine');
  await type(page, 'docker run -d --name web -v datos:/data alpine sleep 1000');
  await type(page, "docker exec web sh -c 'echo hola > /etc/motd'");
  await expect(page.locator('[data-capas="registry"]')).toContainText('alpine:latest');
  await expect(page.locator('[data-capas="host"]')).toContainText('datos');
  await expect(page.locator('[data-capas="host"]')).toContainText('montado por web');
  await expect(pane(page).locator('[data-container="web"]')).toContainText('motd');
  await expectAxeClean(page);
  await type(page, 'docker rm -f web');
  await type(page, 'docker rmi alpine');
  await expect(page.locator('[data-capas="registry"]'), 'a registry keeps what is removed here').toContainText('alpine:latest');
});

test('trees fold, zoom and can be searched', async ({ page }) => {
  await openPage(page);
  for (const image of ['nginx', 'ubuntu', 'alpine']) await type(page, `docker pull -q ${image}`);
  await pane(page).getByRole('button', { name: 'Plegar las capas de nginx:latest' }).click();
  await expect(pane(page).getByRole('button', { name: 'Desplegar las capas de nginx:latest' })).toBeVisible();
  const before = await pane(page).locator('[data-layer]').last().boundingBox();
  await pane(page).getByRole('button', { name: 'Más lejos' }).click();
  await expectAxeClean(page);
  await pane(page).getByRole('button', { name: 'Más lejos' }).click();
  await expect(pane(page).getByRole('button', { name: 'Más lejos' })).toBeDisabled();
  const after = await pane(page).locator('[data-layer]').last().boundingBox();
  expect(after.height).toBeLessThan(before.height);
  await pane(page).locator('[data-capas="find"]').fill('alp');
  await expect(pane(page).locator('[data-image]')).toHaveCount(1);
  await expectAxeClean(page);
});

test('capas tells the same in the terminal', async ({ page }) => {
  await withContainer(page);
  await type(page, 'clear');
  await type(page, 'capas where web /etc/motd');
  expect(await terminalText(page)).toMatch(/escribible .*se ve[\s\S]*tapado por 3/);
});

for (const size of SIZES) {
  for (const theme of ['light', 'dark']) {
    test(`inside looks finished at ${size.width} in ${theme}`, async ({ page }) => {
      await page.setViewportSize(size);
      await openPage(page, `./?theme=${theme}`);
      await type(page, 'docker run -d --name web alpine sleep 1000');
      await type(page, "docker exec web sh -c 'echo hola > /etc/motd; rm /etc/alpine-release'");
      if (size.width < 640) await page.getByRole('button', { name: 'Capas', exact: true }).click();
      await pane(page).getByRole('button', { name: 'web', exact: true }).click();
      await expect(item(page, /^motd/)).toBeVisible();
      await expectNoSidewaysScroll(page);
      await expectAxeClean(page);
    });
  }
}
