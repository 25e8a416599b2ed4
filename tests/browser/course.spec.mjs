// The whole module "¿Qué es una imagen?" typed into the page, one command after the other in one session, with a look at
// the terminal and at the layers after each.
import { expect, expectAxeClean, openPage, terminal, terminalText, test, type, waitForPrompt } from './fixtures.mjs';

const SLIDES = 'kubernetescourse/slides-docker';

const image = (page, name) => page.locator(`[data-image="${name}"]`);
const container = (page, name) => page.locator(`[data-container="${name}"]`);
const layers = (page) => page.locator('[data-capas="layers"] [data-layer]');
/** The layers in the picture that stand in the tree of this image, by id. */
const ids = async (page) => layers(page).evaluateAll((all) => all.map((layer) => layer.dataset.layer));

/** What the last command printed. */
async function output(page, command, options) {
  await type(page, 'clear');
  await type(page, command, options);
  const text = await terminalText(page);
  return text.split('\n').slice(1, -1).join('\n');
}

/** Types into a program that has the terminal, and waits until `expected` shows. */
async function converse(page, line, expected) {
  await type(page, line, { wait: false });
  await expect.poll(() => terminalText(page)).toMatch(expected);
}

test('the module, from the first container to the last layer', async ({ page }) => {
  test.setTimeout(240_000);
  await page.setViewportSize({ width: 1440, height: 1000 });
  await openPage(page);
  await expect(page.getByRole('heading', { name: 'Aquí aparecerán las capas' })).toBeVisible();

  // A container is an instance of an image.
  const run = (port, name) => `docker run --rm -p "${port}:8003" -d --name ${name} ${SLIDES}`;
  const first = await output(page, run(9003, 'instancia1'));
  expect(first).toContain(`Unable to find image '${SLIDES}:latest' locally`);
  expect(first).toMatch(/[0-9a-f]{64}|[0-9a-f]{30}/);
  await expect(image(page, `${SLIDES}:latest`)).toBeVisible();
  await expect(container(page, 'instancia1')).toContainText('en marcha');
  await expect(container(page, 'instancia1')).toContainText('9003→8003');
  const base = await ids(page);
  expect(base.length).toBeGreaterThan(2);

  // The terminal breaks the line where it ends, which may be at a blank.
  const conflict = (await output(page, run(9003, 'instancia2'))).replace(/\s/g, '');
  expect(conflict).toContain('Bindfor0.0.0.0:9003failed:portisalreadyallocated');
  await expect(container(page, 'instancia2')).toHaveCount(0);

  await type(page, run(9004, 'instancia2'));
  await type(page, run(9005, 'instancia3'));
  for (const [name, port] of [['instancia1', 9003], ['instancia2', 9004], ['instancia3', 9005]]) {
    await expect(container(page, name)).toContainText(`${port}→8003`);
  }
  expect(await ids(page), 'three containers share the layers of one image').toEqual(base);

  const list = (await output(page, 'docker container ls')).replaceAll('\n', '');
  expect(list).toContain('CONTAINER ID');
  for (const name of ['instancia1', 'instancia2', 'instancia3']) expect(list).toContain(name);

  // A file in one container only.
  const before = await Promise.all(['instancia1', 'instancia2'].map((name) => container(page, name).textContent()));
  await type(page, 'touch prueba.txt');
  await type(page, 'docker container copy prueba.txt instancia2:/home/node/prueba.txt');
  await expect(container(page, 'instancia2')).not.toHaveText(before[1]);
  await expect(container(page, 'instancia1')).toHaveText(before[0]);
  await expect(page.locator('[data-capas="layers"] [role="status"]')).toContainText('instancia2 ha escrito en su propia capa');
  expect(await output(page, 'docker container exec instancia2 ls /home/node/prueba.txt')).toContain('/home/node/prueba.txt');
  expect(await output(page, 'docker container exec instancia1 ls /home/node/prueba.txt')).toContain('No such file or directory');
  expect(await output(page, 'docker container exec instancia3 ls /home/node/prueba.txt')).toContain('No such file or directory');

  // The image of the slides comes from a Dockerfile.
  await type(page, 'mkdir slides && cd slides && echo "<h1>Capas</h1>" > index.html');
  await type(page, "printf 'FROM nginx:latest\\n\\nCOPY . /usr/share/nginx/html/\\n' > Dockerfile");
  await type(page, 'docker build -t slides .', { timeout: 60_000 });
  await expect(image(page, 'slides:latest')).toBeVisible();
  await type(page, 'cd');

  // From scratch: a root file system and nothing else.
  await type(page, 'mkdir raiz && cd raiz && mkdir bin && cp /bin/bash bin/ && tar -cJf rootfs.tar.xz bin');
  await type(page, "printf 'FROM scratch\\nADD rootfs.tar.xz /\\nCMD [\"bash\"]\\n' > Dockerfile");
  await type(page, 'docker build -t minima .', { timeout: 60_000 });
  await expect(image(page, 'minima:latest')).toBeVisible();
  await type(page, 'cd');

  // One layer arrives, and another step weighs nothing.
  const pull = await output(page, 'docker image pull ubuntu');
  expect(pull).toContain('Using default tag: latest');
  expect(pull.match(/Pull complete/g)).toHaveLength(1);
  expect(pull).toContain('Status: Downloaded newer image for ubuntu:latest');
  await expect(image(page, 'ubuntu:latest')).toBeVisible();
  const history = await output(page, 'docker image history ubuntu');
  expect(history).toContain('<missing>');
  expect(history).toMatch(/72\.8MB/);
  expect(history).toMatch(/ 0B/);

  // Layers are shared.
  await type(page, 'docker image pull debian:stretch-slim');
  const shared = await ids(page);
  await type(page, 'clear');
  await type(page, 'docker image pull postgres:11', { wait: false });
  await expect.poll(() => terminalText(page)).toMatch(/Downloading/);
  await waitForPrompt(page, 60_000);
  const postgres = await terminalText(page);
  expect(postgres.match(/Already exists/g)).toHaveLength(1);
  expect(postgres.match(/Pull complete/g)).toHaveLength(12);
  expect(postgres).not.toContain('Downloading [');
  expect((await ids(page)).length, 'twelve new layers, and the base once').toBe(shared.length + 12);
  await expect(page.locator('[data-capas="layers"] [role="status"]')).toContainText('12 capas nuevas');

  // The thin writable layer.
  await type(page, 'clear');
  await converse(page, 'docker run --rm -ti ubuntu bash', /root@[0-9a-f]{12}:\/# ?$/);
  await expect(page.locator('[data-container]')).toHaveCount(4);
  await converse(page, 'echo hola > /saludo', /# ?$/);
  await converse(page, 'cat /saludo', /\nhola\n/);
  await expect(page.locator('[data-container]').filter({ hasText: /1 cambio/ }).first()).toBeVisible();
  await type(page, 'exit');
  await expect(page.locator('[data-container]')).toHaveCount(3);
  expect(await output(page, 'docker run --rm ubuntu cat /saludo')).toContain('No such file or directory');

  // The text twin says the same, and nothing of it is out of reach.
  await page.getByRole('button', { name: 'Texto', exact: true }).click();
  await expect(page.locator('[data-capas="layers"]')).toContainText('Imagen postgres:11');
  await expectAxeClean(page);
  await page.getByRole('button', { name: 'Dibujo', exact: true }).click();
  await expectAxeClean(page);
  await page.emulateMedia({ colorScheme: 'dark' });
  await expectAxeClean(page);
});

test('the first step types itself and its layer arrives', async ({ page }) => {
  await openPage(page);
  await page.getByRole('button', { name: /docker image pull ubuntu/ }).click();
  await expect.poll(() => terminalText(page)).toContain('$ docker image pull ubuntu');
  await expect(image(page, 'ubuntu:latest')).toBeVisible();
  await expect(layers(page)).toHaveCount(1);
  await waitForPrompt(page);
  // What comes next depends on what is there now.
  await expect(page.getByRole('button', { name: /docker image history ubuntu/ })).toBeEnabled();
  const steps = page.locator('#terminal').getByRole('button', { name: /docker image pull ubuntu/ });
  await expect(steps).toHaveCount(0);
});

test('a layer can be looked at in full', async ({ page }) => {
  await openPage(page);
  await type(page, 'docker image pull ubuntu');
  const [id] = await ids(page);
  await layers(page).first().click();
  const detail = page.getByRole('region', { name: 'Capa', exact: true });
  await expect(detail).toContainText(`sha256:${id}`);
  await expect(detail).toContainText('La usan: ubuntu:latest');
  await page.locator('[data-capas="back"]').click();
  await expect(detail).toHaveCount(0);
});

test('bad commands give an error and the prompt back', async ({ page }) => {
  await openPage(page);
  for (const [command, error] of [
    ['noexiste', 'noexiste: command not found'],
    ['docker rn', "docker: unknown command: docker rn"],
    ['docker image pull --nope ubuntu', 'unknown flag: --nope'],
    ['docker pull Ubuntu', 'must be lowercase'],
    ['docker pull ""', 'invalid reference format'],
    ['docker pull noexiste', 'pull access denied for noexiste'],
    ['docker run --name "" -d', 'requires at least 1 argument'],
  ]) {
    const text = await output(page, command);
    expect(text.replaceAll('\n', ' '), command).toContain(error);
  }
  await expect(terminal(page)).not.toHaveAttribute('data-busy', 'true');
  await expect(layers(page)).toHaveCount(0);
});

for (const [lang, words] of [['es', 'Empieza por aquí'], ['en', 'Start here']]) {
  test(`the address chooses the language: ${lang}`, async ({ page }) => {
    await openPage(page, `./?lang=${lang}&theme=dark`);
    await expect(page.getByRole('heading', { name: words })).toBeVisible();
    await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  });
}
