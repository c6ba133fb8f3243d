// Files of more than 2 GiB, and models in several files.
import { execFile } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { AutoModel } from '../dist/index.mjs';
import { parametersOf } from './suites/tiny_models.mjs';

const small = { model_type: 'gpt2', vocab_size: 4, n_positions: 8, n_embd: 64, n_layer: 1, n_head: 2, bos_token_id: 0, eos_token_id: 3 };
const rows = 4_500_000; // tables of 1.15 GB
const folder = mkdtempSync(join(tmpdir(), 'trustformers-large-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A safetensors file of tensors { name, shape, data, ends }: data is the beginning of its tensor, or the end of one that ends with it. The rest are zeros that take no disk. */
function write(path, tensors) {
  const head = {};
  let end = 0;
  for (const { name, shape } of tensors) {
    const bytes = 4 * shape.reduce((a, b) => a * b, 1);
    head[name] = { dtype: 'F32', shape, data_offsets: [end, (end += bytes)] };
  }
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const file = openSync(path, 'w');
  ftruncateSync(file, 8 + text.length + end);
  writeSync(file, Buffer.concat([length, text]), 0, 8 + text.length, 0);
  for (const { name, data, ends } of tensors) {
    const [from, to] = head[name].data_offsets;
    writeSync(file, data, 0, data.byteLength, 8 + text.length + (ends ? to - data.byteLength : from));
  }
  closeSync(file);
}

// In a process of its own, for its heap grows beyond 2 GiB.
const run = `
const { AutoModel, env, Tensor } = await import(process.argv[1]);
const model = await AutoModel.fromPretrained(process.argv[2]);
const { lastHiddenState } = await model.forward(Tensor.fromArray([JSON.parse(process.argv[3])], { dtype: 'int64' }));
console.log(JSON.stringify({ states: [...lastHiddenState.data()], heap: env.memory().heapBytes, weights: model.sizeInMB() * 2 ** 20 }));
process.exit(0);
`;
async function states(path, ids) {
  const library = fileURLToPath(new URL('../dist/index.mjs', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', run, library, path, JSON.stringify(ids)]);
  return JSON.parse(stdout);
}

test('a file of more than 2 GiB gives what its small tensors in shards give', async () => {
  const model = await AutoModel.fromConfig(small, { seed: 5 });
  const tensors = parametersOf(model);
  model.dispose();
  const shards = join(folder, 'shards');
  const large = join(folder, 'large');
  for (const path of [shards, large]) mkdirSync(path);

  const half = tensors.length >> 1;
  const parts = { 'model-00001-of-00002.safetensors': tensors.slice(half), 'model-00002-of-00002.safetensors': tensors.slice(0, half) };
  const map = {};
  for (const [file, held] of Object.entries(parts)) {
    write(join(shards, file), held);
    for (const { name } of held) map[name] = file;
  }
  writeFileSync(join(shards, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }));
  writeFileSync(join(shards, 'config.json'), JSON.stringify(small));

  // The same rows as the first of one long table and the last of another, which all else comes after.
  const tableOf = (count) => tensors.find(({ shape }) => shape[0] === count);
  const [words, positions] = [tableOf(small.vocab_size), tableOf(small.n_positions)];
  const others = tensors.filter((tensor) => tensor !== words && tensor !== positions);
  const shape = [rows, small.n_embd];
  write(join(large, 'model.safetensors'), [{ ...positions, shape }, { ...words, shape, ends: true }, ...others]);
  writeFileSync(join(large, 'config.json'), JSON.stringify({ ...small, vocab_size: rows, n_positions: rows }));

  const expected = await states(shards, [0, 3, 1]);
  const found = await states(large, [rows - 4, rows - 1, rows - 3]);
  expect(expected.states.some((value) => value !== 0)).toBe(true);
  expect(found.states).toEqual(expected.states);
  expect(found.weights).toBeGreaterThan(2 ** 31);
  expect(found.heap).toBeLessThanOrEqual(1.15 * found.weights + 64e6);
}, 300_000);
