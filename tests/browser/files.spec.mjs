// Files in and out of the page.
import fs from 'node:fs';
import { expect, expectAxeClean, openPage, terminalText, test, type } from './fixtures.mjs';

const stage = (page) => page.locator('[data-capas="stage"]');
const transfers = (page) => page.locator('[data-capas="transfers"]');
const openFiles = (page) => page.getByRole('tab', { name: 'Ficheros' }).click();
const upload = (page) => stage(page).locator('input[type="file"]');

/** Drops files of the given names and texts anywhere on the page. */
const drop = (page, files) => page.evaluate((all) => {
  const data = new DataTransfer();
  for (const [name, text] of Object.entries(all)) data.items.add(new File([text], name));
  for (const kind of ['dragenter', 'dragover', 'drop']) {
    document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
  }
}, files);

async function saved(page, act) {
  const [download] = await Promise.all([page.waitForEvent('download'), act()]);
  return { name: download.suggestedFilename(), bytes: fs.readFileSync(await download.path()) };
}

test('a dropped file is in the folder of the shell', async ({ page }) => {
  await openPage(page);
  await type(page, 'mkdir -p a/b; cd a/b');
  await drop(page, { 'mi fichero.txt': 'hola\n' });
  await expect(transfers(page)).toContainText('/home/alumno/a/b');
  await type(page, "cat 'mi fichero.txt'; pwd");
  expect(await terminalText(page)).toContain('\nhola\n/home/alumno/a/b\n');
  await expectAxeClean(page);
});

test('an image that is saved, downloaded and uploaded again loads as the same image', async ({ page }) => {
  await openPage(page);
  await type(page, 'docker pull -q busybox; docker save -o bb.tar busybox; docker images -q --no-trunc busybox', { timeout: 60_000 });
  const id = /sha256:[0-9a-f]{64}/.exec((await terminalText(page)).split('busybox\n').at(-1))[0];
  await openFiles(page);
  const archive = await saved(page, () => stage(page).getByRole('button', { name: 'Descargar bb.tar' }).click());
  expect(archive.name).toBe('bb.tar');
  expect(archive.bytes.subarray(257, 262).toString()).toBe('ustar');
  await type(page, 'rm bb.tar; docker rmi busybox; clear');
  await upload(page).setInputFiles({ name: 'bb.tar', mimeType: 'application/x-tar', buffer: archive.bytes });
  await transfers(page).getByRole('button', { name: /docker load -i/ }).click();
  await type(page, '', { timeout: 60_000 });
  await type(page, 'docker images -q --no-trunc busybox');
  const text = await terminalText(page);
  expect(text).toContain('Loaded image: busybox:latest');
  expect(text).toContain(`\n${id}\n`);
});

test('a large file comes in without stopping the page, with progress, and can be given up', async ({ page }) => {
  test.setTimeout(180_000);
  await openPage(page);
  const MEGABYTES = 60;
  const seen = await page.evaluate(async (megabytes) => {
    const part = new Uint8Array(1 << 20).map((_, at) => (at * 2654435761) >>> (at % 24));
    const file = new File(Array(megabytes).fill(part), 'grande.bin');
    const data = new DataTransfer();
    data.items.add(file);
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    let [frames, moved] = [0, new Set()];
    const list = document.querySelector('[data-capas="transfers"]');
    while (list.querySelector('progress') || !list.textContent) {
      await new Promise(requestAnimationFrame);
      frames++;
      moved.add(list.querySelector('progress')?.value);
    }
    return { frames, steps: moved.size };
  }, MEGABYTES);
  expect(seen.steps, 'progress that a visitor sees').toBeGreaterThan(10);
  expect(seen.frames, 'frames that are drawn meanwhile').toBeGreaterThanOrEqual(seen.steps);
  await type(page, 'ls -l grande.bin', { timeout: 60_000 });
  expect(await terminalText(page)).toContain(` ${MEGABYTES << 20} `);
});

test('a file that is too large is refused before it is read', async ({ page }) => {
  await openPage(page);
  await page.evaluate(() => {
    const part = new Blob([new Uint8Array(1 << 24)]);
    const data = new DataTransfer();
    data.items.add(new File(Array(33).fill(part), 'enorme.iso'));
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await expect(transfers(page)).toContainText('No se pudo copiar enorme.iso');
});

test('the list walks through folders, makes files and shows hidden ones when asked', async ({ page }) => {
  await openPage(page);
  await openFiles(page);
  await expect(stage(page)).toContainText('Esta carpeta está vacía');
  await type(page, 'mkdir sitio; echo hola > sitio/index.html');
  await stage(page).getByRole('button', { name: 'sitio/' }).click();
  await expect(stage(page).getByRole('button', { name: 'index.html', exact: true })).toBeVisible();
  await stage(page).getByRole('button', { name: 'Nuevo' }).click();
  await page.keyboard.type('Dockerfile\n');
  await expect(page.locator('[data-capas="editor"]:visible')).toBeFocused();
  await type(page, 'ls sitio');
  expect(await terminalText(page)).toContain('Dockerfile  index.html');
  await stage(page).getByRole('button', { name: 'Ficheros', exact: true }).click();
  await stage(page).getByRole('button', { name: /Ocultos: / }).click();
  await expect(stage(page).getByRole('button', { name: '.bashrc', exact: true })).toBeVisible();
  await expectAxeClean(page);
});
