// The package in Deno, in Bun, and in a Next application that renders on the server and in Chromium. Prints
// "N passed, N failed, N skipped".
//   node run.mjs [Deno] [Bun] [Next]
import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as lib from '../../dist/index.mjs';
import { openPage, startChromium, tally } from '../browser/chromium.mjs';
import { startHub } from '../suites/hub_server.mjs';
import { tinyModels } from '../suites/tiny_models.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const js = join(here, '../..');
const work = mkdtempSync(join(tmpdir(), 'trustformers-runtimes-'));
const hub = await startHub(await tinyModels(lib));
const counts = tally();

function project(name) {
  const folder = join(work, name);
  const installed = join(folder, 'node_modules/trustformers-js');
  mkdirSync(installed, { recursive: true });
  for (const part of ['dist', 'pkg', 'package.json']) cpSync(join(js, part), join(installed, part), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}');
  return folder;
}

const program = `
import { pipeline, Tensor } from 'trustformers-js';
const classify = await pipeline('sentiment-analysis', null, { threads: 1 });
const [{ label }] = await classify('I love WebAssembly!');
await classify.dispose();
console.log(JSON.stringify({ label, sum: Tensor.arange(4).sum().item() }));
`;
async function runProgram(name, file, args) {
  const folder = project(name);
  writeFileSync(join(folder, 'main.mjs'), program);
  const env = { ...process.env, HF_ENDPOINT: hub.url, HF_HOME: join(folder, 'cache'), DENO_DIR: join(folder, 'deno'), DENO_NO_UPDATE_CHECK: '1' };
  const { stdout } = await promisify(execFile)(file, [...args, 'main.mjs'], { cwd: folder, env, timeout: 120_000 });
  const { label, sum } = JSON.parse(stdout.trim().split('\n').at(-1));
  if (!/POSITIVE|NEGATIVE/.test(label) || sum !== 6) throw new Error(stdout);
}

const application = {
  'app/layout.js': `export default function Layout({ children }) { return <html><body>{children}</body></html>; }`,
  // The server imports the package (and computes with it), and so does the page.
  'app/page.js': `import { Tensor } from 'trustformers-js';
import Classifier from './classifier';
export const dynamic = 'force-dynamic';
export default function Page() { return <main><p id="server">{Tensor.arange(4).sum().item()}</p><Classifier /></main>; }`,
  'app/classifier.js': `'use client';
import { useEffect, useState } from 'react';
import { env, pipeline } from 'trustformers-js';
export default function Classifier() {
  const [label, setLabel] = useState('');
  useEffect(() => {
    (async () => {
      env.remoteHost = new URLSearchParams(location.search).get('hub');
      const classify = await pipeline('sentiment-analysis', null, { threads: 1 });
      setLabel((await classify('I love WebAssembly!'))[0].label);
      await classify.dispose();
    })().catch((error) => setLabel(String(error)));
  }, []);
  return <p id="client">{label}</p>;
}`,
};

async function freePort() {
  const server = createServer();
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

async function next() {
  const folder = project('next');
  for (const [name, text] of Object.entries(application)) {
    mkdirSync(join(folder, 'app'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  for (const name of ['next', 'react', 'react-dom']) symlinkSync(join(here, 'node_modules', name), join(folder, 'node_modules', name));
  const bin = join(here, 'node_modules/next/dist/bin/next');
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NEXT_IGNORE_INCORRECT_LOCKFILE: '1', NODE_ENV: 'production' };
  await promisify(execFile)(process.execPath, [bin, 'build'], { cwd: folder, env, timeout: 300_000 });
  const port = await freePort();
  const server = spawn(process.execPath, [bin, 'start', '-H', '127.0.0.1', '-p', String(port)], { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const browser = await startChromium();
  try {
    await new Promise((ready, failed) => {
      server.stdout.on('data', (data) => String(data).includes('Ready') && ready());
      server.once('exit', failed);
    });
    const { page, problems } = await openPage(browser);
    await page.goto(`http://127.0.0.1:${port}/?hub=${encodeURIComponent(hub.url)}`);
    const label = await page.waitForFunction(() => document.getElementById('client')?.textContent, { timeout: 60_000 }).catch((error) => {
      throw new Error(`${error} ${problems.join('; ')}`);
    });
    const found = `${await page.$eval('#server', (p) => p.textContent)} ${await label.jsonValue()}`;
    if (!/^6 (POSITIVE|NEGATIVE)$/.test(found)) throw new Error(`${found} ${problems.join('; ')}`);
  } finally {
    await browser.close();
    server.kill();
  }
}

try {
  const all = {
    Deno: () => runProgram('deno', join(here, 'node_modules/.bin/deno'), ['run', '-A', '--node-modules-dir=manual']),
    Bun: () => runProgram('bun', join(here, 'node_modules/@oven/bun-linux-x64/bin/bun'), ['run']),
    Next: next,
  };
  const chosen = process.argv.slice(2);
  for (const [name, body] of Object.entries(all)) if (chosen.length === 0 || chosen.includes(name)) await counts.check(name, body);
} finally {
  await hub.close();
  rmSync(work, { recursive: true, force: true });
}
counts.summary();
