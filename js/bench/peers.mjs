// The engine beside wllama and onnxruntime-web in the same Chromium, as JSON with ratios (above 1: ours is faster).
//   node peers.mjs MODELS PACKAGES ONNX THREADS…   folders of the models, of node_modules, and of minilm.onnx
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openPage, startChromium } from '../tests/browser/chromium.mjs';
import { serve } from '../tests/browser/server.mjs';

const [models, peers, onnx, ...threads] = process.argv.slice(2);
const bench = fileURLToPath(new URL('.', import.meta.url));
const server = await serve({ isolated: true, policy: false, connect: '', roots: { models, bench, peers: resolve(peers), onnx: resolve(onnx) } });
const browser = await startChromium();

async function measure(name, count) {
  const { page, problems, close } = await openPage(browser);
  await page.goto(`${server.url}bench/peers.html`);
  await page.waitForFunction(() => typeof globalThis.measure === 'function');
  const found = await page.evaluate((engine, n) => globalThis.measure(engine, n), name, count).catch((error) => ({ failure: `${error} ${problems.join('; ')}` }));
  await close();
  return found;
}
try {
  for (const count of threads.map(Number)) {
    const ours = await measure('ours', count);
    const out = { browser: await browser.version(), threads: count, ours };
    console.error(`ours ${JSON.stringify(ours)}`);
    for (const name of ['wllama', 'onnxruntime']) {
      const theirs = await measure(name, count);
      const ratios = Object.entries(theirs).filter(([key, value]) => typeof value === 'number' && ours[key]);
      console.error(`${name} ${JSON.stringify(theirs)}`);
      out[name] = { ...theirs, ...Object.fromEntries(ratios.map(([key, value]) => [`${key}_ratio`, Number((ours[key] / value).toFixed(2))])) };
    }
    console.log(JSON.stringify(out));
  }
} finally {
  await browser.close();
  await server.close();
}
