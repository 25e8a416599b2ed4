// What nests without end, or calls itself, ends in an error: the page has 1 MB of stack, and an overflow would break it.
// `tests/hostile_depth.rs` tries more of it, on the host.
import { expect, openPage, terminalText, test, type } from './fixtures.mjs';

const SCRIPTS = [
  'f() { f; }; f',
  'f() { ( f ); }; f',
  'f() { x=$(f); }; f',
  'f() { if true; then f; fi; }; f',
  'f() { while f; do f; done; }; f',
  'f() { case x in x) { f; } ;; esac; }; f',
  'f() { f | f; }; f',
  'f() { eval f; }; f',
  'f() { echo ${x:-$(f)}; }; f',
  'f() { for x in 1; do { if f; then f; fi; }; done; }; f',
];
const NESTED = ['(', '{ ', '$(', '${x:-', '"$(', 'if ', '[[ ( ', '! ', 'a() ', '`', 'case x in x) ', '{a,', '$((1+', 'x=('];
const READERS = ['bash deep', 'sh deep', 'awk -f deep in', 'sed -f deep in', 'grep -E -f deep in', 'docker ps --format "$(cat deep)"',
  'docker import -c "CMD $(cat deep)" in', 'docker build -q - < deep', 'cp deep compose.yaml; docker compose config'];

async function alive(page, what) {
  await type(page, 'clear; echo al"iv"e', { timeout: 60_000 });
  expect(await terminalText(page), what).toContain('alive');
}

test('scripts that call themselves end in an error', async ({ page }) => {
  test.setTimeout(300_000);
  await openPage(page);
  for (const script of SCRIPTS) {
    for (const shell of ['bash', 'sh']) {
      await type(page, `timeout 3 ${shell} -c '${script}' > out 2>&1; tail -c 300 out`, { timeout: 60_000 });
      await alive(page, `${shell}: ${script}`);
    }
  }
});

test('nesting of 100,000 ends in an error', async ({ page }) => {
  test.setTimeout(600_000);
  await openPage(page);
  await type(page, 'echo a > in');
  for (const opener of [...NESTED, '{{if 1}}', '{{(', '[', '{"a":', '- ']) {
    await type(page, `yes '${opener}' | head -n 100000 | tr -d '\\n' > deep`, { timeout: 60_000 });
    for (const reader of READERS) {
      await type(page, `{ ${reader}; } > out 2>&1 < /dev/null`, { timeout: 60_000 });
    }
    await alive(page, opener);
  }
});
