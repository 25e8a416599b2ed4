// Handing in: by file and by link; the teacher's view, which believes nothing but a replay; what is refused.
import fs from 'node:fs';
import zlib from 'node:zlib';
import {
  test, expect, openPage, waitForPrompt, type, terminal, terminalText, expectAxeClean, expectNoSidewaysScroll,
} from './fixtures.mjs';

const exercise = (page) => page.locator('[data-capas="exercise"]');
const card = (page) => page.locator('[data-capas="handed"]');

async function openLesson(page, id) {
  await openPage(page, `./?lang=es&lesson=${id}`);
  await expect(exercise(page)).toHaveAttribute('data-ready', 'true', { timeout: 30_000 });
  await waitForPrompt(page);
}

/** A student's whole way; gives the file that was handed in. */
async function solve(page, id, commands, name) {
  await openLesson(page, id);
  for (const command of commands) await type(page, command, { timeout: 60_000 });
  await expect(exercise(page)).toHaveAttribute('data-solved', 'true', { timeout: 20_000 });
  await page.getByText('Entregar', { exact: true }).click();
  await page.getByLabel('Tu nombre').fill(name);
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('[data-capas="save-hand-in"]').click()]);
  return { name: download.suggestedFilename(), text: fs.readFileSync(await download.path(), 'utf8') };
}

/** The teacher opens files. */
async function open(page, files, lang = 'es') {
  await openPage(page, `./?lang=${lang}&lesson`);
  await page.getByText(lang === 'es' ? 'Más' : 'More', { exact: true }).click();
  await page.locator('[data-capas="open-handed"]').setInputFiles(files.map(({ name, text }) => ({
    name, mimeType: 'application/json', buffer: Buffer.from(text),
  })));
}

test('a lesson that is not solved can be handed in as it is', async ({ page }) => {
  await openLesson(page, 'primer-contenedor');
  await expect(page.locator('[data-capas="hand-in"]')).toHaveCount(0);
  await type(page, 'docker images');
  await page.getByText('Entregar sin resolver', { exact: true }).click();
  await page.getByLabel('Tu nombre').fill('Luis');
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('[data-capas="save-hand-in"]').click()]);
  const file = { name: download.suggestedFilename(), text: fs.readFileSync(await download.path(), 'utf8') };
  await expectAxeClean(page);
  await open(page, [file]);
  await expect(card(page)).toHaveAttribute('data-verdict', 'unsolved', { timeout: 20_000 });
  await expect(card(page)).toContainText('Entrega de Luis');
  await expect(card(page)).toContainText('1 orden');
});

/** What a student could do to a file: its fields and its journal, changed and packed again. */
function forge({ name, text }, change) {
  const file = JSON.parse(text);
  const journal = JSON.parse(zlib.inflateSync(Buffer.from(file.journal, 'base64url')));
  change(file, journal);
  file.journal = zlib.deflateSync(Buffer.from(JSON.stringify(journal)), { level: 9 }).toString('base64url');
  return { name, text: JSON.stringify(file) };
}

const retype = (journal, from, to) => {
  // One letter a key: the journal holds them one by one.
  const keys = journal.inputs.filter(([, input]) => input.type);
  const typed = keys.map(([, input]) => String.fromCharCode(...input.type.bytes)).join('');
  const at = typed.lastIndexOf(from);
  expect(at).toBeGreaterThan(0);
  let seen = 0;
  for (const [, input] of keys) {
    input.type.bytes = input.type.bytes.map((byte) => {
      const index = seen - at;
      seen += 1;
      return index >= 0 && index < from.length ? to.charCodeAt(index) : byte;
    });
  }
};

test('a solved lesson is handed in by file, and the teacher sees it done again', async ({ page }) => {
  const file = await solve(page, 'primer-contenedor', ['docker images', 'docker run hello-world'], 'Ana Núñez');
  expect(file.name).toBe('primer-contenedor-Ana-Núñez.json');
  await expectAxeClean(page);
  await open(page, [file]);
  await expect(card(page)).toHaveAttribute('data-verdict', 'solved', { timeout: 20_000 });
  await expect(card(page)).toContainText('Entrega de Ana Núñez');
  await expect(card(page)).toContainText('2 órdenes');
  await expect(card(page)).toContainText('pistas: 0');
  await page.getByText('Orden por orden').click();
  await expect(card(page).locator('li')).toHaveCount(2);
  await expect(card(page).locator('li').first()).toContainText('0/2');
  await expect(card(page).locator('li').last()).toContainText('2/2');
  await expectAxeClean(page);
  // The machine as it was: after the second command with the image, after the first without it.
  await card(page).getByRole('button', { name: 'docker run hello-world' }).click();
  await expect(page.locator('[data-capas="row"]').filter({ hasText: 'Hello from Docker!' })).toHaveCount(1);
  await waitForPrompt(page);
  await type(page, 'docker images -q | wc -l');
  expect(await terminalText(page)).toMatch(/wc -l\n1\n/);
  await card(page).getByRole('button', { name: 'docker images' }).click();
  await expect(page.locator('[data-capas="row"]').filter({ hasText: 'Hello from Docker!' })).toHaveCount(0);
  await waitForPrompt(page);
  await type(page, 'docker images -q | wc -l');
  expect(await terminalText(page)).toMatch(/wc -l\n0\n/);
  await card(page).getByRole('button', { name: 'Quitar esta entrega' }).click();
  await expect(card(page)).toHaveCount(0);
});

test('by link, and a second link in the same tab', async ({ page }) => {
  await solve(page, 'primer-contenedor', ['docker run hello-world'], 'Luis');
  await page.locator('[data-capas="copy-link"]').click();
  await expect(page.getByText('Enlace copiado.')).toBeVisible();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).toMatch(/\/\?lesson#entrega=[\w-]+$/);
  expect(link.length).toBeLessThan(8000);
  await page.goto('about:blank');
  await page.goto(link);
  await expect(card(page)).toHaveAttribute('data-verdict', 'solved', { timeout: 30_000 });
  await expect(card(page)).toContainText('Entrega de Luis');
  await page.evaluate((cut) => { window.location.href = cut; }, link.slice(0, -40));
  await expect(card(page)).toHaveCount(2);
  await expect(card(page).first()).toContainText('No se puede leer: la entrega está cortada o dañada.');
  await expect(card(page).last()).toContainText('Entrega de Luis');
});

test('nothing is believed: what was tampered with does not solve, and says why', async ({ page }) => {
  const honest = await solve(page, 'puerto-ocupado',
    ['docker rm instancia2', 'docker run -d -p 9004:8003 --name instancia2 kubernetescourse/slides-docker'], '<b>Eva</b>');
  const files = [
    // Other keys: another result.
    forge(honest, (file, journal) => { file.solved = true; retype(journal, 'instancia2 kube', 'instancia3 kube'); }),
    // A setup that is solved already.
    forge(honest, (_, journal) => { journal.inputs.shift(); }),
    forge(honest, (_, journal) => { journal.end = journal.inputs[3][0]; }),
    forge(honest, (_, journal) => {
      journal.inputs.push([journal.end, { put_file: { path: '/var/lib/docker/x', content: 'x' } }]);
    }),
    forge(honest, (file) => { file.lesson = '../../index'; }),
    forge(honest, (file) => { file.capas_submission = 9; }),
    { name: 'cut.json', text: honest.text.slice(0, -60) },
    { name: 'otra.json', text: '<script>alert(1)</script>' },
    { name: 'grande.json', text: ' '.repeat(9e6) },
    // Endless work ends.
    forge(honest, (_, journal) => {
      const bytes = [...Buffer.from('while :; do :; done\r')];
      journal.inputs = journal.inputs.slice(0, 6);
      journal.inputs.push([journal.end, { type: { tty: 0, bytes } }]);
      const year = 365 * 86_400;
      journal.end = typeof journal.end === 'number' ? journal.end + year * 1e9 : journal.end;
    }),
    honest,
  ];
  const words = {
    es: ['No resuelve la lección.', 'No vale: no empieza como empieza la lección.', 'No vale: su tiempo va hacia atrás.',
      'No vale: pone ficheros donde un alumno no puede.', 'Es de una lección que aquí no está.',
      'No se puede leer: es una entrega de la forma 9; este Capas lee la 1.',
      'No se puede leer: la entrega está cortada o dañada.', 'No se puede leer: no es una entrega de Capas.',
      'No se puede leer: es demasiado grande para ser una entrega.', null, 'Resuelve la lección.'],
    en: ['It does not solve the lesson.', 'It does not count: it does not begin as the lesson begins.',
      'It does not count: its time runs backwards.', 'It does not count: it puts files where a student can\'t.',
      'It is of a lesson that is not here.', 'It can\'t be read: it is a submission of form 9; this Capas reads form 1.',
      'It can\'t be read: the submission is cut off or damaged.', 'It can\'t be read: it is no submission of Capas.',
      'It can\'t be read: it is too large for a submission.', null, 'It solves the lesson.'],
  };
  for (const lang of ['es', 'en']) {
    await open(page, files, lang);
    await expect(card(page)).toHaveCount(files.length);
    // The newest stands first.
    for (const [at, told] of words[lang].toReversed().entries()) {
      if (told) await expect(card(page).nth(at)).toContainText(told, { timeout: 40_000 });
    }
    await expect(card(page).first()).toContainText('<b>Eva</b>');
    // The page is alive meanwhile.
    await type(page, 'echo viva');
    expect(await terminalText(page)).toContain('viva');
  }
  await expectAxeClean(page);
});

test('on a phone', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await openLesson(page, 'primer-contenedor');
  await page.getByRole('button', { name: 'Terminal', exact: true }).click();
  await expect(terminal(page).locator('[data-capas="keys"]')).toBeInViewport();
  await type(page, 'docker run hello-world', { timeout: 60_000 });
  await page.getByRole('button', { name: 'Lección', exact: true }).click();
  await page.getByText('Entregar', { exact: true }).click();
  await page.getByLabel('Tu nombre').fill('Ana');
  await expectNoSidewaysScroll(page);
  await expectAxeClean(page);
});
