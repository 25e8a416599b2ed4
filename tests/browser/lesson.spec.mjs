// Lessons: a whole one by keyboard, near misses, questions, hints, the solution, progress, phones, axe.
import { test, expect, openPage, waitForPrompt, type, expectAxeClean, expectNoSidewaysScroll } from './fixtures.mjs';

const lesson = (page) => page.locator('[data-capas="lesson"]');
const exercise = (page) => page.locator('[data-capas="exercise"]');
const goal = (page, at) => page.locator(`[data-goal="${at}"]`);

/** Opens a lesson and waits until its machine is there. */
async function openLesson(page, id, more = '') {
  await openPage(page, `./?lang=es&lesson=${id}${more}`);
  await expect(exercise(page)).toBeVisible();
  await waitForPrompt(page);
}

test('a whole lesson by keyboard alone', async ({ page }) => {
  await openPage(page, './?lang=es');
  await page.locator('[data-capas="lessons"]').focus();
  await page.keyboard.press('Enter');
  await expect(page.locator('[data-lesson="primer-contenedor"]')).toBeVisible();
  await expectAxeClean(page);
  await page.locator('[data-lesson="primer-contenedor"]').focus();
  await page.keyboard.press('Enter');
  await expect(exercise(page)).toHaveAttribute('data-solved', 'false');
  // The question: chosen with the arrow keys, run with the button that comes then.
  await page.locator('[data-capas="question"] input').first().focus();
  await page.keyboard.press('Space');
  await expect(page.getByRole('button', { name: 'Ejecutar y comprobar' })).toBeVisible();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByText('¡Exacto!')).toBeVisible({ timeout: 30_000 });
  await expect(exercise(page)).toHaveAttribute('data-solved', 'true');
  await expect(goal(page, 0)).toHaveAttribute('data-met', 'true');
  await expect(page.locator('[data-capas="par"]')).toContainText('1 orden');
  await expectAxeClean(page);
  await page.locator('[data-capas="next-lesson"]').focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Un contenedor que se queda' })).toBeVisible();
});

test('a near miss is told and any way counts', async ({ page }) => {
  await openLesson(page, 'servidor-web');
  await type(page, 'docker create -p 8080:80 --name web nginx', { timeout: 60_000 });
  await expect(goal(page, 0).locator('[data-capas="near"]')).toHaveText(
    'hay un contenedor web, pero aún no ha arrancado');
  await type(page, 'docker container start web');
  await expect(exercise(page)).toHaveAttribute('data-solved', 'true');
  await expect(page.locator('[data-capas="solved"]')).toContainText('Se puede con menos');
});

test('the setup is there, hints come one by one, and the solution types itself', async ({ page }) => {
  await openLesson(page, 'puerto-ocupado');
  await expect(page.locator('[data-container="instancia2"]')).toBeVisible();
  const hint = page.locator('[data-capas="hint"]');
  await hint.click();
  await expect(page.locator('[data-capas="hints"] li')).toHaveCount(1);
  await hint.click();
  await expect(page.locator('[data-capas="hints"] li')).toHaveCount(2);
  await page.locator('[data-capas="show-solution"]').click();
  const next = page.getByRole('button', { name: 'Escribir la siguiente orden' });
  await next.click();
  await expect(page.locator('[data-container="instancia2"]')).toHaveCount(0);
  await waitForPrompt(page);
  await next.click();
  await expect(exercise(page)).toHaveAttribute('data-solved', 'true', { timeout: 30_000 });
});

test('the goal stands beside the own layers, with marks', async ({ page }) => {
  await openLesson(page, 'tres-instancias');
  await page.getByText('La meta y lo tuyo, en capas').click();
  const picture = page.locator('[data-capas="goal"]');
  await expect(picture.getByTitle('falta').first()).toBeVisible();
  await type(page, 'docker run -d --name otra -p 9003:8003 kubernetescourse/slides-docker', { timeout: 60_000 });
  await expect(picture.getByTitle('sobra').first()).toBeVisible();
  await expect(picture.locator('li', { hasText: 'slides-docker' }).getByTitle('está').first()).toBeVisible();
  await expectAxeClean(page);
});

test('progress is kept, also where nothing can be kept', async ({ page }) => {
  await openLesson(page, 'primer-contenedor');
  await type(page, 'docker run hello-world', { timeout: 60_000 });
  await expect(exercise(page)).toHaveAttribute('data-solved', 'true');
  await openPage(page, './?lang=es&lesson');
  await expect(page.locator('[data-lesson="primer-contenedor"]')).toHaveAttribute('data-solved', 'true');
  await page.addInitScript(() => {
    Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } });
  });
  await openLesson(page, 'primer-contenedor');
  await type(page, 'docker run hello-world', { timeout: 60_000 });
  await expect(exercise(page)).toHaveAttribute('data-solved', 'true');
  await page.getByRole('button', { name: 'Todas las lecciones' }).click();
  await expect(page.locator('[data-lesson="primer-contenedor"]')).toHaveAttribute('data-solved', 'true');
});

test('an exercise of one\'s own opens, and a flawed one says where', async ({ page }) => {
  await openPage(page, './?lang=es&lesson');
  await page.getByText('Más', { exact: true }).click();
  const input = page.locator('[data-capas="lesson"] input[accept=".md"]');
  const body = (check) => `---\nid: mio\ntitle: Mío <b>\nlevel: 1\n---\n\n<script>alert(1)</script> hola\n\n## Objetivos\n\n`
    + `\`\`\`goals\n${check}\n\`\`\`\n\n## Solución\n\n\`\`\`sh\ntouch x\n\`\`\`\n`;
  await input.setInputFiles({ name: 'a.md', mimeType: 'text/markdown', buffer: Buffer.from(body('fichero ~/x')) });
  await expect(lesson(page).getByRole('alert')).toContainText('línea 12: fichero no se entiende aquí');
  await page.getByRole('button', { name: 'Todas las lecciones' }).click();
  await page.getByText('Más', { exact: true }).click();
  await input.setInputFiles({ name: 'a.md', mimeType: 'text/markdown', buffer: Buffer.from(body('file ~/x')) });
  await expect(page.getByRole('heading', { name: 'Mío <b>' })).toBeVisible();
  await expect(exercise(page)).toContainText('<script>alert(1)</script> hola');
  await waitForPrompt(page);
  await type(page, 'touch x');
  await expect(exercise(page)).toHaveAttribute('data-solved', 'true');
});

test('on a phone, lesson and terminal are swiped', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await openLesson(page, 'primer-contenedor');
  await expect(page.getByRole('heading', { name: 'El primer contenedor' })).toBeInViewport();
  await expectNoSidewaysScroll(page);
  await expectAxeClean(page);
  await page.getByRole('button', { name: 'Terminal', exact: true }).click();
  await expect(page.locator('[data-capas="keys"]').first()).toBeInViewport();
});
