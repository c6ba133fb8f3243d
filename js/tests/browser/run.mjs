// The package in headless Chromium: the suites with and without cross-origin isolation under a strict content policy, the
// documentation's page as printed, WebGPU, the chat page, real models where ./dev fetch-models has put them. Prints what failed, how
// long each part took, and "N passed, N failed, N skipped". Pictures go to FOLDER (build/js unless given).
//   node run.mjs [FOLDER]
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as lib from '../../dist/index.mjs';
import { startHub } from '../suites/hub_server.mjs';
import { smollm2 } from '../suites/native_answers.mjs';
import { bigModel, tinyModels } from '../suites/tiny_models.mjs';
import { openPage, startChromium, tally } from './chromium.mjs';
import { serve } from './server.mjs';

const js = fileURLToPath(new URL('../..', import.meta.url));
const pictures = resolve(process.argv[2] ?? join(js, '../build/js'));
mkdirSync(pictures, { recursive: true });
const threaded = existsSync(join(js, 'dist/trustformers-simd-threads.mjs'));
const models = await tinyModels(lib);
const counts = tally();
const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'trustformers/models');
const smollm2File = join(folder, 'smollm2/model.gguf');

async function suites(browser, hub, isolated) {
  const server = await serve({ isolated, connect: hub.url });
  const { page, close } = await openPage(browser);
  const start = Date.now();
  await page.goto(server.url);
  await page.waitForFunction(() => typeof globalThis.runAll === 'function', { timeout: 120_000 });
  const { rows, report, isolated: is } = await page.evaluate((context) => globalThis.runAll(context), { hub: hub.url, threaded });
  for (const row of rows) if (row.failure !== '') console.log(`failed (${isolated ? 'isolated' : 'not isolated'}): ${row.name}: ${row.failure.split('\n')[0].slice(0, 500)}`);
  if (is !== isolated) rows.push({ failure: 'isolation', skipped: '' });
  counts.add(rows);
  console.log(`${is ? 'cross-origin isolated' : 'not isolated'}, ${JSON.stringify(report)}: ${rows.length} rows (${((Date.now() - start) / 1000).toFixed(1)} s)`);
  await close();
  await server.close();
}

/** A certificate of our own: the documentation's page asks the hub by its name, which Chromium is told to find here. */
function certificate() {
  const folder = mkdtempSync(join(tmpdir(), 'trustformers-tls-'));
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(folder, name));
  const about = ['-subj', '/CN=loopback', '-days', '1', '-nodes', '-keyout', key, '-out', cert];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', ...about], { stdio: 'ignore' });
  const tls = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(folder, { recursive: true });
  return tls;
}

/** The page of the documentation, as printed, in a project where npm has put the package. */
async function printedPage() {
  const hub = await startHub(models, certificate());
  const browser = await startChromium([`--host-resolver-rules=MAP huggingface.co:443 127.0.0.1:${hub.port}`, '--ignore-certificate-errors']);
  const project = mkdtempSync(join(tmpdir(), 'trustformers-page-'));
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(js, join(project, 'node_modules/trustformers-js'));
  cpSync(join(js, 'tests/snippets/page.html'), join(project, 'page.html'));
  const server = await serve({ isolated: false, policy: false, roots: { project } });
  try {
    const { page, problems } = await openPage(browser);
    await page.setViewport({ width: 640, height: 120 });
    await page.goto(`${server.url}project/page.html`);
    const empty = await page.screenshot();
    const found = await page.waitForFunction(() => document.getElementById('result').textContent, { timeout: 60_000 }).catch((error) => {
      throw new Error(`${error} ${problems.join('; ')}`);
    });
    const text = await found.jsonValue();
    const [{ label, score }] = JSON.parse(text);
    if (!/^(POSITIVE|NEGATIVE)$/.test(label) || !(score > 0.5)) throw new Error(text);
    if (!hub.requests.some((request) => request.startsWith('GET /cdn/'))) throw new Error('the hub was not asked');
    const picture = await page.screenshot();
    if (Buffer.compare(empty, picture) === 0) throw new Error('the screenshot shows no result');
    writeFileSync(join(pictures, 'page.png'), picture);
    return text;
  } finally {
    await browser.close();
    await server.close();
    await hub.close();
    rmSync(project, { recursive: true });
  }
}

/** With an adapter at hand: every op says that it has no kernel, and none runs elsewhere. */
async function webgpu() {
  const browser = await startChromium(['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan']);
  const server = await serve({ isolated: true, connect: '' });
  try {
    const { page } = await openPage(browser);
    await page.goto(`${server.url}real.html`);
    const found = await page.evaluate(async () => {
      const { default: init, env, setBackend, Tensor } = await import('/package/pkg/trustformers_js.js');
      const caught = async (body) => {
        try {
          await body();
        } catch (error) {
          return `${error.name} ${error.code} ${error.message}`;
        }
        return '';
      };
      await init();
      const a = Tensor.ones([2, 2]);
      const adapter = Boolean(await navigator.gpu?.requestAdapter());
      const chosen = await caught(() => setBackend('webgpu'));
      return { adapter, chosen, matmul: await caught(() => a.matmul(a)), report: env.report() };
    });
    const { adapter, chosen, matmul, report } = found;
    const right = adapter
      ? chosen === '' && matmul.startsWith('TrustformersError unsupported [matmul] there is no GPU kernel for matmul') && report.backend === 'webgpu' && report.webgpu !== ''
      : chosen.startsWith('TrustformersError unsupported [setBackend]') && matmul === '';
    if (!right) throw new Error(JSON.stringify(found));
    return adapter ? 'with an adapter' : 'without an adapter';
  } finally {
    await browser.close();
    await server.close();
  }
}

/** The example's page: a folder of safetensors is dropped on it; a GGUF file is chosen, asked, and answers. */
async function webChat(browser) {
  const server = await serve({ isolated: true, connect: '', roots: { examples: join(js, '../examples'), js } });
  const { page, problems, close } = await openPage(browser);
  const folder = mkdtempSync(join(tmpdir(), 'trustformers-model-'));
  try {
    await page.setViewport({ width: 760, height: 420 });
    await page.goto(`${server.url}examples/web-chat/index.html`);
    const ask = async (question) => {
      await page.waitForFunction(() => !document.getElementById('send').disabled, { timeout: 120_000 }).catch(async (error) => {
        throw new Error(`${error} ${await page.$eval('#state', (p) => p.textContent)} ${problems.join('; ')}`);
      });
      await page.type('#question', question);
      await page.click('#send');
      await page.waitForFunction(() => document.getElementById('stop').disabled && !document.getElementById('send').disabled, { timeout: 300_000 });
      return page.$$eval('.assistant', (turns) => turns.at(-1).textContent);
    };

    for (const [name, bytes] of Object.entries(models.gpt2)) writeFileSync(join(folder, name), bytes);
    const devtools = await page.createCDPSession();
    const at = await page.$eval('#drop', (drop) => ({ x: drop.getBoundingClientRect().x + 20, y: drop.getBoundingClientRect().y + 20 }));
    for (const type of ['dragEnter', 'dragOver', 'drop'])
      await devtools.send('Input.dispatchDragEvent', { type, ...at, data: { items: [], files: [folder], dragOperationsMask: 1 } });
    if ((await ask('Hello')).length === 0) throw new Error('the model that was dropped says nothing');

    if (!existsSync(smollm2File)) return 'without SmolLM2, which is not fetched';
    await (await page.$('#files')).uploadFile(smollm2File);
    await page.waitForFunction(() => /^Ready/.test(document.getElementById('state').textContent) && document.querySelector('.assistant') === null, { timeout: 120_000 });
    const answer = await ask('What is the capital of France?');
    if (!answer.includes('Paris')) throw new Error(answer);
    const speed = await page.$eval('#state', (p) => p.textContent);
    if (!/^[\d.]+ tokens\/s$/.test(speed)) throw new Error(speed);
    writeFileSync(join(pictures, 'web-chat.png'), await page.screenshot());
    return `${answer} ${speed}`;
  } finally {
    await close();
    await server.close();
    rmSync(folder, { recursive: true });
  }
}

async function realModels(browser) {
  const server = await serve({ isolated: true, connect: '', roots: { models: folder } });
  const inPage = async (body, ...args) => {
    const { page, problems, close } = await openPage(browser);
    await page.goto(`${server.url}real.html`);
    await page.waitForFunction(() => globalThis.ready, { timeout: 30_000 });
    try {
      return await page.evaluate(body, ...args);
    } catch (error) {
      throw new Error(`${error} ${problems.join('; ')}`);
    } finally {
      await close();
    }
  };
  if (existsSync(smollm2File))
    for (const deterministic of [true, false])
      await counts.check(`SmolLM2 chats, deterministic: ${deterministic}`, async () => {
        const got = await inPage((options) => globalThis.chat('/models/smollm2/model.gguf', options), { deterministic, threads: 2 });
        if (String(got.tokens) !== String(smollm2.tokens) || got.text !== smollm2.text) throw new Error(JSON.stringify(got));
        return `the native build's ${got.tokens.length} tokens in ${got.seconds.toFixed(1)} s, ${got.variant}, threads: ${got.threadCount}`;
      });
  else counts.skip('SmolLM2', 'not fetched');
  if (existsSync(join(folder, 'minilm')))
    await counts.check('MiniLM embeds', async () => {
      const got = await inPage(() => globalThis.embed('/models/minilm/'));
      if (!(got.alike > 0.5 && got.other < 0.2)) throw new Error(JSON.stringify(got));
    });
  else counts.skip('MiniLM', 'not fetched');
  await server.close();
}

const hub = await startHub({ ...models, 'big/gpt2': await bigModel(lib) });
const browser = await startChromium();
try {
  for (const isolated of [true, false]) await suites(browser, hub, isolated);
  await counts.check('the page of the documentation, as printed', printedPage);
  await counts.check('WebGPU refuses by name', webgpu);
  await realModels(browser);
  await counts.check('the chat page of the examples', () => webChat(browser));
} finally {
  await browser.close();
  await hub.close();
}
counts.summary();
