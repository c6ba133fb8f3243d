// The suites in headless Chromium, with and without cross-origin isolation, under a strict content policy. Prints what
// failed, and "N passed, N failed, N skipped". CHROMIUM names the browser's program.
import { existsSync } from 'node:fs';
import puppeteer from 'puppeteer-core';
import * as lib from '../../dist/index.mjs';
import { startHub } from '../suites/hub_server.mjs';
import { bigModel, tinyModels } from '../suites/tiny_models.mjs';
import { serve } from './server.mjs';

function startChromium() {
  const executablePath = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
  if (!executablePath) throw new Error('no Chromium: install the package chromium, or name one in CHROMIUM');
  return puppeteer.launch({
    executablePath,
    protocolTimeout: 600_000,
    args: ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

const threaded = existsSync(new URL('../../dist/trustformers-simd-threads.mjs', import.meta.url));
const hub = await startHub({ ...(await tinyModels(lib)), 'big/gpt2': await bigModel(lib) });
const browser = await startChromium();
let passed = 0;
let failed = 0;
let skipped = 0;
try {
  for (const isolated of [true, false]) {
    const server = await serve({ isolated, connect: hub.url });
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    page.on('pageerror', (error) => console.log(`page: ${error}`));
    const start = Date.now();
    await page.goto(server.url);
    await page.waitForFunction(() => typeof globalThis.runAll === 'function', { timeout: 120_000 });
    const { rows, report, isolated: is } = await page.evaluate((context) => globalThis.runAll(context), { hub: hub.url, threaded });
    const wrong = rows.filter((row) => row.failure !== '');
    for (const row of wrong) console.log(`failed (${isolated ? 'isolated' : 'not isolated'}): ${row.name}: ${row.failure.slice(0, 1000)}`);
    console.log(`${is ? 'cross-origin isolated' : 'not isolated'}, ${JSON.stringify(report)}: ${rows.length} rows in ${Math.round((Date.now() - start) / 1000)} s`);
    failed += wrong.length + (is === isolated ? 0 : 1);
    skipped += rows.filter((row) => row.skipped).length;
    passed += rows.filter((row) => !row.failure && !row.skipped).length;
    await context.close();
    await server.close();
  }
} finally {
  await browser.close();
  await hub.close();
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 ? 1 : 0;
