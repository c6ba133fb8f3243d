// Chromium for tests. CHROMIUM names the program.
import { existsSync } from 'node:fs';
import puppeteer from 'puppeteer-core';

const usual = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const quiet = ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export function startChromium(args = [], more = {}) {
  const executablePath = process.env.CHROMIUM ?? usual.find(existsSync);
  if (!executablePath) throw new Error('no Chromium: install the package chromium, or name one in CHROMIUM');
  return puppeteer.launch({ executablePath, protocolTimeout: 600_000, args: [...quiet, ...args], ...more });
}

/** A page in a profile of its own. What goes wrong in it is added to `problems`. */
export async function openPage(browser, problems = []) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('response', (response) => response.status() >= 400 && problems.push(`${response.status()} ${response.url()}`));
  page.on('requestfailed', (request) => problems.push(`${request.failure()?.errorText} ${request.url()}`));
  return { page, problems, close: () => context.close() };
}

/** Counts checks and prints each with its time; `summary()` prints the line that ./dev adds up. */
export function tally() {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  return {
    add(rows) {
      passed += rows.filter((row) => !row.failure && !row.skipped).length;
      failed += rows.filter((row) => row.failure).length;
      skipped += rows.filter((row) => row.skipped && !row.failure).length;
    },
    skip(name, why) {
      ++skipped;
      console.log(`skipped ${name}: ${why}`);
    },
    async check(name, body) {
      const start = Date.now();
      try {
        const said = await body();
        ++passed;
        console.log(`ok ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)${said ? `: ${said}` : ''}`);
      } catch (error) {
        ++failed;
        console.log(`failed ${name}: ${String(error.stdout ?? '')}${String(error.stderr ?? '')}${error.stack}`.slice(0, 3000));
      }
    },
    summary() {
      console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
      process.exitCode = failed > 0 ? 1 : 0;
    },
  };
}
