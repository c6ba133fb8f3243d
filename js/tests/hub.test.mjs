// The hub's client in Node: cache, resumption, verification, refusals.
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as lib from '../dist/index.mjs';
import { startHub } from './suites/hub_server.mjs';
import { tinyModels } from './suites/tiny_models.mjs';

const { AutoConfig, AutoModelForCausalLM, AutoTokenizer, env, pipeline, TrustformersError } = lib;
const models = await tinyModels(lib);
const hub = await startHub(models);
const cache = mkdtempSync(join(tmpdir(), 'trustformers-hub-'));
env.remoteHost = hub.url;
let count = 0;
const freshCache = () => join(cache, String(++count));
const weights = models.gpt2['model.safetensors'];
const sha = createHash('sha256').update(weights).digest('hex');

afterEach(() => Object.assign(hub.trouble, { breakAfter: 0, html: false, corrupt: false, noRanges: false }));
afterAll(async () => {
  await hub.close();
  rmSync(cache, { recursive: true, force: true });
});

const rejected = async (promise) => {
  try {
    await promise;
  } catch (error) {
    expect(error).toBeInstanceOf(TrustformersError);
    return error;
  }
  return null;
};
const load = async (cacheDir, options = {}) => {
  const model = await AutoModelForCausalLM.fromPretrained('gpt2', { cacheDir, ...options });
  const parameters = model.numParameters();
  model.dispose();
  return parameters;
};

test('the cache has the layout of Hugging Face', async () => {
  const cacheDir = freshCache();
  await load(cacheDir);
  const folder = join(cacheDir, 'models--gpt2');
  const commit = readFileSync(join(folder, 'refs/main'), 'utf8');
  expect(commit).toBe(hub.repositories.get('gpt2').commit);
  expect(readdirSync(join(folder, 'snapshots', commit)).sort()).toEqual(['config.json', 'model.safetensors']);
  expect(readlinkSync(join(folder, 'snapshots', commit, 'model.safetensors'))).toBe(join('../../blobs', sha));
  expect(readFileSync(join(folder, 'blobs', sha))).toEqual(Buffer.from(weights));
  hub.requests.length = 0;
  await load(cacheDir);
  expect(hub.requests.filter((r) => !r.includes('/api/'))).toEqual([]);
  // Without a connection, and by wish.
  env.remoteHost = 'http://127.0.0.1:9/';
  await load(cacheDir);
  env.remoteHost = hub.url;
  hub.requests.length = 0;
  await load(cacheDir, { localFilesOnly: true });
  expect(hub.requests).toEqual([]);
  expect((await rejected(load(freshCache(), { local_files_only: true }))).code).toBe('not_found');
});

test('a connection that breaks is resumed where it broke', async () => {
  hub.requests.length = 0;
  hub.trouble.breakAfter = Math.ceil(weights.length / 3);
  await load(freshCache());
  expect(hub.requests.filter((r) => r.includes('bytes=')).length).toBeGreaterThanOrEqual(2);
  hub.trouble.noRanges = true;
  const error = await rejected(load(freshCache()));
  expect(error.code).toBe('io');
  expect(error.message).toMatch(/broke off after \d+ of \d+ bytes/);
});

test('what an interrupted process left is resumed', async () => {
  const cacheDir = freshCache();
  await load(cacheDir);
  const folder = join(cacheDir, 'models--gpt2');
  const snapshot = join(folder, 'snapshots', hub.repositories.get('gpt2').commit);
  rmSync(join(snapshot, 'model.safetensors'));
  rmSync(join(folder, 'blobs', sha));
  writeFileSync(join(folder, 'blobs', `${sha}.999999999-1.incomplete`), weights.subarray(0, 20000));
  hub.requests.length = 0;
  await load(cacheDir);
  expect(hub.requests.filter((r) => r.includes('/cdn/'))).toEqual([`GET /cdn/${sha} bytes=20000-`]);
  expect(readdirSync(join(folder, 'blobs')).some((name) => name.endsWith('.incomplete'))).toBe(false);
});

test('wrong bytes are refused and not kept', async () => {
  hub.trouble.corrupt = true;
  const cacheDir = freshCache();
  const error = await rejected(load(cacheDir));
  expect(error.code).toBe('parse');
  expect(error.message).toContain(sha);
  expect(readdirSync(join(cacheDir, 'models--gpt2/blobs')).filter((name) => name.startsWith(sha))).toEqual([]);
  hub.trouble.corrupt = false;
  await load(cacheDir);
});

test('pages of HTML, absent models, private ones', async () => {
  hub.trouble.html = true;
  expect((await rejected(load(freshCache()))).code).toBe('parse');
  hub.trouble.html = false;
  const error = await rejected(AutoModelForCausalLM.fromPretrained('no/such-model', { cacheDir: freshCache() }));
  expect(error.code).toBe('not_found');
  expect(error.message).toContain('no/such-model');
  expect((await rejected(load(freshCache(), { revision: 'v9' }))).code).toBe('not_found');
  expect((await rejected(AutoTokenizer.fromPretrained('gpt2:Q4_K_M', { cacheDir: freshCache() }))).message).toContain('there are: none');
});

test('a download is cancelled, and nothing half is seen', async () => {
  const cacheDir = freshCache();
  const controller = new AbortController();
  const progressCallback = (info) => info.status === 'progress' && info.file === 'model.safetensors' && controller.abort();
  expect((await rejected(load(cacheDir, { signal: controller.signal, progressCallback }))).code).toBe('cancelled');
  const snapshot = join(cacheDir, 'models--gpt2/snapshots', hub.repositories.get('gpt2').commit);
  expect(readdirSync(snapshot)).not.toContain('model.safetensors');
  await load(cacheDir);
});

test('URLs of a folder, of a server that knows no hub', async () => {
  const url = `${hub.url}gpt2/resolve/main/`;
  const config = await AutoConfig.fromPretrained(url);
  expect(config.model_type).toBe('gpt2');
  const model = await AutoModelForCausalLM.from_pretrained(url);
  expect(model.numParameters()).toBe(await load(freshCache()));
  model.dispose();
});

test('a pipeline in a worker has the settings of its caller', async () => {
  env.cacheDir = freshCache();
  const classify = await pipeline('sentiment-analysis', null, { threads: 1 });
  expect((await classify('hello world'))[0].label).toMatch(/POSITIVE|NEGATIVE/);
  await classify.dispose();
  env.fetch = fetch;
  expect((await rejected(pipeline('sentiment-analysis'))).code).toBe('unsupported');
  env.fetch = null;
});

test('functions of the caller: fetch and a cache', async () => {
  const urls = [];
  env.fetch = (url, init) => (urls.push(String(url)), fetch(url, init));
  const kept = new Map();
  env.customCache = { match: async (url) => kept.get(url)?.clone(), put: async (url, response) => void kept.set(url, new Response(await response.arrayBuffer(), { headers: response.headers })) };
  try {
    await load(undefined);
    const fetched = urls.length;
    expect([...kept.keys()].some((url) => url.endsWith('model.safetensors'))).toBe(true);
    await load(undefined);
    expect(urls.slice(fetched).every((url) => url.includes('/api/'))).toBe(true);
  } finally {
    env.fetch = null;
    env.customCache = null;
  }
});
