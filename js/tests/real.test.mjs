// Real models, where ./dev fetch-models has put them.
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pipeline, TextStreamer } from '../dist/index.mjs';
import { smollm2 as native } from './suites/native_answers.mjs';

const models = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'trustformers/models');
const smollm2 = join(models, 'smollm2');
const minilm = join(models, 'minilm');
const testWith = (folder) => (existsSync(folder) ? test : test.skip);

testWith(smollm2)("SmolLM2 gives the native build's tokens, with relaxed SIMD and without", async () => {
  for (const deterministic of [true, false]) {
    const chat = await pipeline('text-generation', smollm2, { deterministic, threads: 1 });
    const tokens = [];
    const streamer = new TextStreamer(null, { tokenCallbackFunction: (ids) => tokens.push(...ids) });
    await chat(native.messages, { ...native.options, streamer });
    expect(tokens).toEqual(native.tokens);
    await chat.dispose();
  }
}, 300_000);

testWith(minilm)('MiniLM: a cat is like a kitten', async () => {
  const embed = await pipeline('feature-extraction', minilm);
  const texts = ['A cat sits on the mat.', 'A kitten rests on a rug.', 'Stocks fell on Friday.'];
  const vectors = await embed(texts, { pooling: 'mean', normalize: true });
  const [[, kitten, stocks]] = vectors.matmul(vectors.transpose(0, 1)).toArray();
  expect(kitten).toBeGreaterThan(0.5);
  expect(stocks).toBeLessThan(0.2);
  await embed.dispose();
}, 300_000);

testWith(minilm)('the example node-embed', async () => {
  const project = mkdtempSync(join(tmpdir(), 'trustformers-embed-'));
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(fileURLToPath(new URL('..', import.meta.url)), join(project, 'node_modules/trustformers-js'));
  copyFileSync(new URL('../../examples/node-embed/embed.mjs', import.meta.url), join(project, 'embed.mjs'));
  const { stdout } = await promisify(execFile)(process.execPath, ['embed.mjs', minilm], { cwd: project });
  rmSync(project, { recursive: true });
  const [kitten, stocks] = stdout.trim().split('\n');
  expect(kitten).toMatch(/^0\.[5-9]\d\d  A kitten/);
  expect(stocks).toMatch(/^-?0\.[01]\d\d  Stocks/);
}, 300_000);

// Beside the weights: 15 % of them, and 64 MB.
const peakOf = `
const { env, pipeline } = await import(process.argv[1]);
const p = await pipeline(process.argv[2], process.argv[3], { worker: false });
console.log(env.memory().heapBytes);
`;
for (const [task, folder, file] of [
  ['feature-extraction', minilm, 'model.safetensors'],
  ['text-generation', smollm2, 'model.gguf'],
])
  testWith(folder)(`${task}: loading peaks a little above the weights`, async () => {
    const lib = fileURLToPath(new URL('../dist/index.mjs', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', peakOf, lib, task, folder]);
    const weights = statSync(join(folder, file)).size;
    expect(Number(stdout)).toBeLessThan(1.15 * weights + 64e6);
  }, 300_000);
