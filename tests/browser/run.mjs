// Runs the WebAssembly conformance tests and prints one line of JSON per row, then `N passed, N failed, N skipped`.
//
//   node run.mjs FOLDER node      in this Node
//   node run.mjs FOLDER page      in headless Chromium, on the page's own thread
//   node run.mjs FOLDER worker    in headless Chromium, in a worker
//
// FOLDER holds trustformers_browser_tests.mjs and .wasm. The server is on the loopback address alone; its pages are
// cross-origin isolated (threads) and may run no eval and no inline script. CHROMIUM names the browser's program.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { runSuite } from './suite.mjs';

const [folder, where] = process.argv.slice(2);
if (!folder || !['node', 'page', 'worker'].includes(where)) {
  console.error('usage: node run.mjs FOLDER node|page|worker');
  process.exit(2);
}
const limitSeconds = 300;

async function inNode() {
  const { default: create } = await import(pathToFileURL(resolve(folder, 'trustformers_browser_tests.mjs')));
  return runSuite(create, { webgpu: Boolean(globalThis.navigator?.gpu) });
}

const types = { '.html': 'text/html', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Content-Security-Policy': "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'",
  'Cache-Control': 'no-store',
};

// What the page may fetch; everything else is 404.
function fileOf(path) {
  const here = fileURLToPath(new URL('.', import.meta.url));
  if (path === '/') return join(here, 'page.html');
  if (/^\/(page|worker|suite)\.mjs$/.test(path)) return join(here, path);
  if (/^\/program\/trustformers_browser_tests\.(mjs|wasm)$/.test(path)) return join(folder, path.slice('/program/'.length));
  return null;
}

function inChromium() {
  return new Promise((done, failed) => {
    const profile = mkdtempSync(join(tmpdir(), 'trustformers-chromium-'));
    let browser = null;
    let errors = '';
    let finished = false;
    const finish = (settle, value) => {
      if (finished) return;
      finished = true;
      clearTimeout(timer);
      server.close();
      server.closeAllConnections();
      const settled = () => {
        try {
          rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
        } catch {
          // A child of the browser may be dying still; what it leaves is in the system's temporary folder.
        }
        settle(value);
      };
      if (!browser?.pid || browser.exitCode !== null || browser.signalCode !== null) return settled();
      browser.once('exit', settled);
      process.kill(-browser.pid, 'SIGKILL'); // its children too
    };
    const server = createServer((request, response) => {
      const { pathname } = new URL(request.url, 'http://loopback');
      if (request.method === 'POST' && pathname === '/results') {
        const parts = [];
        request.on('data', (part) => parts.push(part));
        request.on('end', () => {
          response.end();
          finish(done, JSON.parse(Buffer.concat(parts).toString()));
        });
        return;
      }
      const file = fileOf(pathname);
      if (!file) return response.writeHead(404, headers).end();
      response.writeHead(200, { ...headers, 'Content-Type': types[extname(file)] }).end(readFileSync(file));
    });
    const timer = setTimeout(
      () => finish(failed, new Error(`no results after ${limitSeconds} s; the browser said:\n${errors}`)),
      limitSeconds * 1000,
    );
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      browser = spawn(process.env.CHROMIUM || 'chromium', [
        '--headless=new', '--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader',
        '--enable-features=Vulkan', '--enable-logging=stderr', `--user-data-dir=${profile}`,
        `http://127.0.0.1:${port}/?in=${where}`,
      ], { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
      browser.stderr.on('data', (text) => (errors = (errors + text).slice(-20000)));
      browser.on('error', (error) => finish(failed, error));
      browser.on('exit', (code) => finish(failed, new Error(`the browser ended with ${code}:\n${errors}`)));
    });
  });
}

const failure = (error) => ({ rows: [], about: {}, output: '', error: String(error?.stack || error) });
const results = await (where === 'node' ? inNode() : inChromium()).catch(failure);
for (const row of results.rows) console.log(JSON.stringify({ where, ...row }));
console.log(JSON.stringify({ where, ...results.about }));
const failed = results.rows.filter((row) => row.failure !== '').length;
if (failed > 0 || results.error) console.log(results.output);
if (results.error) console.log(`error: ${results.error}`);
const all = failed + (results.error ? 1 : 0);
console.log(`${results.rows.length - failed} passed, ${all} failed, 0 skipped`);
process.exit(all > 0 ? 1 : 0);
