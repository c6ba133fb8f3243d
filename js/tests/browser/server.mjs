// Serves the package, the suites and the goldens to pages, on the loopback address alone.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const js = join(here, '../..');
const goldens = join(js, '../tests/goldens');
const types = { '.html': 'text/html', '.mjs': 'text/javascript', '.js': 'text/javascript', '.wasm': 'application/wasm', '.json': 'application/json', '.css': 'text/css' };

function filesIn(folder, prefix = '') {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesIn(join(folder, entry.name), `${prefix}${entry.name}/`) : [prefix + entry.name],
  );
}

/** The golden cases and their files. */
export function manifest() {
  const models = ['', 'gguf/'].flatMap((group) =>
    readdirSync(join(goldens, group))
      .map((name) => group + name)
      .filter((name) => existsSync(join(goldens, name, 'case.json'))),
  );
  const tokenizers = readdirSync(join(goldens, 'tokenizers')).filter((name) => !name.endsWith('.json')).map((name) => `tokenizers/${name}`);
  const of = (names) => Object.fromEntries(names.map((name) => [name, filesIn(join(goldens, name))]));
  return { models: of(models), tokenizers: of(tokenizers) };
}

/** `isolated`: with the headers that threads need. `roots`: further folders by their first path. */
export async function serve({ isolated, connect, roots = {}, policy = true }) {
  const places = { package: js, suites: join(here, '../suites'), goldens, page: here, ...roots };
  const headers = {
    'Cache-Control': 'no-store',
    ...(policy ? { 'Content-Security-Policy': `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; worker-src 'self'; connect-src 'self' ${connect}` } : {}),
    ...(isolated ? { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' } : {}),
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://loopback');
    if (pathname === '/manifest.json') return response.writeHead(200, { ...headers, 'Content-Type': 'application/json' }).end(JSON.stringify(manifest()));
    const [, first, rest] = /^\/([^/]*)(?:\/(.*))?$/.exec(decodeURIComponent(pathname)) ?? [];
    const root = places[first] ?? places.page;
    const file = normalize(join(root, places[first] ? (rest ?? '') : `${first || 'page.html'}${rest ? `/${rest}` : ''}`));
    if (!file.startsWith(normalize(root)) || !existsSync(file) || !statSync(file).isFile()) return response.writeHead(404, headers).end();
    response.writeHead(200, { ...headers, 'Content-Type': types[extname(file)] ?? 'application/octet-stream' }).end(readFileSync(file));
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
