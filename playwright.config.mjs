// The browser tests: `./dev test browser`, or `npx playwright test -g NAME` once dist/ is built.
import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'tests/browser',
  testMatch: '**/*.spec.mjs',
  outputDir: 'test-results/browser',
  globalSetup: './tests/browser/global-setup.mjs',
  // The engine and its page are deterministic: a test that passes only sometimes has found something.
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  fullyParallel: true,
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [['list'], ['json', { outputFile: 'test-results/results.json' }]],
  use: {
    // Set by the global setup, before the workers read this file.
    baseURL: process.env.CAPAS_URL,
    viewport: { width: 1440, height: 900 },
    locale: 'es-ES',
    timezoneId: 'UTC',
    screenshot: 'only-on-failure',
    // Filming every test costs more than all that is tested.
    trace: { mode: 'retain-on-failure', screenshots: false },
    permissions: ['clipboard-read', 'clipboard-write'],
    launchOptions: {
      executablePath: process.env.CHROME ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync',
        // Pages that a test answers itself count as of the Internet, and may not embed one of this machine otherwise.
        '--disable-features=LocalNetworkAccessChecks',
        // Nothing but this machine can be reached: the page must not need anything else.
        '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
      ],
    },
  },
  projects: [{ name: 'chromium', use: { browserName: 'chromium' } }],
});
