// What may happen to a program that runs for long: cancelling, threads that end, memory that runs out. What is left
// works on.
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as lib from '../dist/index.mjs';
import { slowModel, tinyModels } from './suites/tiny_models.mjs';

const { AutoModel, AutoModelForCausalLM, pipeline, setBackend, Tensor, TextStreamer, TrustformersError } = lib;
const models = await tinyModels(lib);
const slow = await slowModel(lib);

const rejected = async (promise) => {
  try {
    await promise;
  } catch (error) {
    expect(error).toBeInstanceOf(TrustformersError);
    return error;
  }
  return null;
};

/** The workers that are started meanwhile. */
async function startedBy(body) {
  const threads = createRequire(import.meta.url)('node:worker_threads');
  const { Worker } = threads;
  const started = [];
  threads.Worker = class extends Worker {
    constructor(...args) {
      super(...args);
      started.push(this);
    }
  };
  try {
    return { result: await body(), started };
  } finally {
    threads.Worker = Worker;
  }
}

test('the thread of the caller stays free while a pipeline generates', async () => {
  const write = await pipeline('text-generation', slow, { threads: 1 });
  const delay = monitorEventLoopDelay({ resolution: 5 });
  const during = async (work) => {
    delay.reset();
    delay.enable();
    await work();
    delay.disable();
    return delay.percentile(99) / 1e6;
  };
  // What this machine's other work adds, and the monitor's own resolution, count for nothing; a machine that is busy
  // meanwhile gets another try.
  let worst = Infinity;
  for (let round = 0; round < 3 && worst >= 20; ++round) {
    const alone = await during(() => new Promise((resolve) => setTimeout(resolve, 1000)));
    worst = (await during(() => write('Hello', { maxNewTokens: 100, minNewTokens: 100 }))) - alone;
  }
  await write.dispose();
  expect(worst).toBeLessThan(20);
}, 300_000);

test('a generation in a worker stops within one token', async () => {
  const write = await pipeline('text-generation', slow, { threads: 1 });
  const late = [];
  for (let round = 0; round < 5; ++round) {
    const controller = new AbortController();
    let tokens = 0;
    let after = 0;
    const streamer = new TextStreamer(null, {
      tokenCallbackFunction: () => {
        if (controller.signal.aborted) ++after;
        if (++tokens === 4) controller.abort();
      },
    });
    const options = { maxNewTokens: 100, minNewTokens: 100, streamer, signal: controller.signal };
    expect((await rejected(write('Hello', options))).code).toBe('cancelled');
    late.push(after);
  }
  // The token under way is still given. A busy machine may hold one round up, not most.
  expect(late.sort()[2]).toBeLessThanOrEqual(1);
  expect((await write('Hello', { maxNewTokens: 2 }))[0].generated_text).toMatch(/^Hello/);
  await write.dispose();
});

test.each([
  ['is ended', (worker) => worker.terminate()],
  ['throws', (worker) => worker.postMessage(null)],
])('a worker that %s fails its pipeline by name, and no other', async (_, harm) => {
  const other = await pipeline('text-generation', models.gpt2, { threads: 1 });
  const { result: write, started } = await startedBy(() => pipeline('text-generation', slow, { threads: 1 }));
  const answer = rejected(write('Hello', { maxNewTokens: 100, minNewTokens: 100 }));
  setTimeout(() => harm(started[0]), 50);
  const error = await answer;
  expect(error.code).toBe('worker_lost');
  expect(error.message).toContain("thread is gone");
  expect((await rejected(write('Hello'))).code).toBe('worker_lost');
  await write.dispose();
  expect((await other('Hello', { maxNewTokens: 2 }))[0].generated_text).toMatch(/^Hello/);
  await other.dispose();
});

// In a process of its own, for its heap grows to 4 GiB.
const exhaust = `
const { AutoModelForCausalLM, env, Tensor } = await import(process.argv[1]);
const held = [];
const codes = [];
const attempt = (body) => { try { body(); } catch (error) { codes.push(error.constructor.name + ' ' + error.code); return false; } return true; };
while (held.length < 100 && attempt(() => held.push(Tensor.zeros([1 << 28]))));
for (const tensor of held) tensor.dispose();
const ids = Tensor.fromArray([[1, 2]], { dtype: 'int64' });
const model = await AutoModelForCausalLM.fromConfig({ model_type: 'gpt2', vocab_size: 64, n_positions: 32, n_embd: 16, n_layer: 1, n_head: 2 });
const { logits } = await model.forward(ids);
console.log(JSON.stringify({ pieces: held.length, codes, shape: logits.shape(), storage: env.memory().storageBytes < 1e6 }));
`;
test('a heap that is full is a typed error, and the module works on', async () => {
  const path = fileURLToPath(new URL('../dist/index.mjs', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', exhaust, path]);
  const { pieces, codes, shape, storage } = JSON.parse(stdout);
  expect(pieces).toBeGreaterThanOrEqual(2);
  expect(pieces).toBeLessThan(8);
  expect(codes).toEqual(['TrustformersError out_of_memory']);
  expect(shape).toEqual([1, 2, 64]);
  expect(storage).toBe(true);
}, 300_000);

test('a model that cannot fit is a typed error, and the module works on', async () => {
  const config = { model_type: 'gpt2', vocab_size: 500_000, n_positions: 64, n_embd: 4096, n_layer: 1, n_head: 8 };
  expect((await rejected(AutoModelForCausalLM.fromConfig(config))).code).toBe('out_of_memory');
  expect(Tensor.ones([3]).sum().item()).toBe(3);
});

test('inputs of a model with wrong shapes, types or ids', async () => {
  const model = await AutoModel.fromPretrained(models['bert-base-uncased']);
  const ids = (values, dtype = 'int64') => Tensor.fromArray(values, { dtype });
  const codes = [];
  for (const inputs of [
    ids([1, 2, 3]),
    ids([[1, 2]], 'float32'),
    ids([[1, 1_000_000]]),
    { inputIds: ids([[1, 2]]), tokenTypeIds: ids([[0, 0, 0]]) },
    { inputIds: ids([[1, 2]]), no_such_input: ids([[1]]) },
    {},
    'text',
  ])
    codes.push((await rejected(model(inputs)))?.code);
  expect(codes).toEqual(['out_of_range', 'dtype_mismatch', 'out_of_range', 'shape_mismatch', 'invalid_argument', 'invalid_argument', 'invalid_argument']);
  expect((await model(ids([[1, 2]]))).lastHiddenState.shape()).toEqual([1, 2, 768]);
  model.dispose();
  expect((await rejected(model(ids([[1, 2]])))).code).toBe('disposed');
});

test('on the GPU nothing falls back in silence', async () => {
  expect((await rejected(setBackend('cuda'))).code).toBe('invalid_argument');
  expect((await rejected(setBackend('webgpu'))).message).toContain('no WebGPU');
  expect(lib.env.report()).toMatchObject({ backend: 'wasm', webgpu: 'this runtime has no WebGPU' });
  const own = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  const write = await pipeline('text-generation', models.gpt2, { threads: 1 });
  const model = await AutoModelForCausalLM.fromPretrained(models.gpt2);
  const x = Tensor.fromArray([[1, 2]]);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu: { requestAdapter: async () => ({}) } }, configurable: true });
  try {
    await setBackend('webgpu');
    expect(lib.env.report()).toMatchObject({ backend: 'webgpu' });
    expect(() => x.matmul(x)).toThrow('[matmul] there is no GPU kernel for matmul');
    expect(() => Tensor.zeros([1])).toThrow('[zeros]');
    expect(x.toArray()).toEqual([[1, 2]]);
    expect((await rejected(model(x))).code).toBe('unsupported');
    expect((await rejected(model.generate(x))).message).toContain('[generate]');
    expect((await rejected(write('Hello'))).message).toContain('[text-generation]');
    await setBackend('wasm');
    expect(x.add(1).toArray()).toEqual([[2, 3]]);
  } finally {
    await setBackend('wasm');
    if (own) Object.defineProperty(globalThis, 'navigator', own);
    else delete globalThis.navigator;
  }
  await write.dispose();
  model.dispose();
});
