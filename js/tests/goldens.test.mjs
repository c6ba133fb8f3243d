// What PyTorch and Hugging Face's libraries gave (tests/goldens), through the package in Node.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as lib from '../dist/index.mjs';
import { runModelCase } from './suites/model_case.mjs';
import { runTokenizerCase } from './suites/tokenizer_case.mjs';

const root = fileURLToPath(new URL('../../tests/goldens/', import.meta.url));

function filesOf(folder, prefix = '') {
  const out = {};
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) Object.assign(out, filesOf(join(folder, entry.name), `${prefix}${entry.name}/`));
    else out[prefix + entry.name] = new Uint8Array(readFileSync(join(folder, entry.name)));
  }
  return out;
}

const folders = ['', 'gguf/'].flatMap((group) =>
  readdirSync(join(root, group))
    .map((name) => group + name)
    .filter((name) => existsSync(join(root, name, 'case.json'))),
);
let compared = 0;

test.each(folders)('model %s', async (name) => {
  const rows = await runModelCase(lib, filesOf(join(root, name)));
  compared += rows.filter((row) => !row.skipped).length;
  expect(rows.filter((row) => row.failure !== '')).toEqual([]);
});

const corpus = JSON.parse(readFileSync(join(root, 'tokenizers/corpus.json'), 'utf8'));
test.each(readdirSync(join(root, 'tokenizers')).filter((name) => !name.endsWith('.json')))('tokenizer %s', async (name) => {
  const rows = await runTokenizerCase(lib, filesOf(join(root, 'tokenizers', name)), corpus);
  expect(rows.filter((row) => row.failure !== '')).toEqual([]);
});

test('most outputs of most models were compared', () => {
  expect(folders.length).toBeGreaterThan(50);
  expect(compared).toBeGreaterThan(300);
  expect(lib.env.memory().liveHandles).toBeLessThan(10);
});
