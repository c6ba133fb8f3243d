// Speeds in this page. `measure(name, threads)` gives {metric: value}; each engine has a page of its own, and runs as it is
// meant to: ours in a worker, because the thread of a page may not wait for others.
const runs = 3;
const text = 'The quick brown fox jumps over the lazy dog while a second one watches from the hill.';
/** About 270 tokens; the number makes each one new, so that no engine has read its beginning before. */
const prompt = (number) => `${number}. ${Array(14).fill(text).join(' ')}`;

async function median(measure) {
  await measure(0);
  const values = [];
  for (let i = 1; i <= runs; ++i) values.push(await measure(i));
  return values.sort((a, b) => a - b)[runs >> 1];
}
const blobOf = async (url) => (await fetch(url)).blob();

const engines = {
  async ours(threads) {
    const { AutoModelForCausalLM, AutoTokenizer, env, init, pipeline } = await import('/package/pkg/trustformers_js.js');
    await init({ threads });
    const source = { 'model.gguf': await blobOf('/models/smollm2/model.gguf') };
    const tokenizer = await AutoTokenizer.fromPretrained(source);
    // As the others multiply: activations in 8 bits beside quantised weights.
    const model = await AutoModelForCausalLM.fromPretrained(source, { exactActivations: false });
    const statsOf = (words, count) => {
      const { inputIds } = tokenizer(words);
      const generation = model.startGeneration(inputIds, { maxNewTokens: count, eosTokenId: null, doSample: false });
      while (generation.step());
      const stats = generation.stats();
      generation.dispose();
      inputIds.dispose();
      return stats;
    };
    const out = {};
    out.prefill = await median((i) => ((s) => s.promptTokens / s.prefillSeconds)(statsOf(prompt(i), 1)));
    out.decode = await median((i) => ((s) => (s.newTokens - 1) / s.decodeSeconds)(statsOf(`${i}. ${text}`, 48)));
    model.dispose();
    const embed = await pipeline('feature-extraction', new URL('/models/minilm/', location.href), { worker: false });
    out.sentences = await median(async () => {
      const start = performance.now();
      const vectors = await embed(Array(64).fill(text), { pooling: 'mean', normalize: true });
      vectors.data();
      vectors.dispose();
      return 64 / ((performance.now() - start) / 1000);
    });
    const { variant } = env.report();
    return { ...out, variant };
  },

  async wllama(threads) {
    const { Wllama } = await import('/peers/@wllama/wllama/esm/index.js');
    const engine = new Wllama({ default: '/peers/@wllama/wllama/esm/wasm/wllama.wasm' });
    await engine.loadModel([await blobOf('/models/smollm2/model.gguf')], { n_ctx: 2048, n_batch: 512, n_threads: threads, n_gpu_layers: 0 });
    const timingsOf = async (words, count) => {
      const { timings } = await engine.createCompletion({ prompt: words, max_tokens: count, temperature: 0, cache_prompt: false, ignore_eos: true });
      return timings;
    };
    const out = {};
    out.prefill = await median(async (i) => (await timingsOf(prompt(i), 1)).prompt_per_second);
    out.decode = await median(async (i) => (await timingsOf(`${i}. ${text}`, 48)).predicted_per_second);
    out.variant = `threads: ${engine.getNumThreads()}`;
    return out;
  },

  async onnxruntime(threads) {
    const ort = await import('/peers/onnxruntime-web/dist/ort.wasm.min.mjs');
    ort.env.wasm.numThreads = threads;
    ort.env.wasm.wasmPaths = `${location.origin}/peers/onnxruntime-web/dist/`;
    const session = await ort.InferenceSession.create('/onnx/minilm.onnx', { executionProviders: ['wasm'], graphOptimizationLevel: 'all' });
    // The ids that our tokenizer gives; making them is not counted here.
    const { AutoTokenizer } = await import('/package/pkg/trustformers_js.js');
    const encoded = (await AutoTokenizer.fromPretrained(new URL('/models/minilm/', location.href)))(Array(64).fill(text));
    const tensor = (from) => new ort.Tensor('int64', from.data(), from.shape());
    const feeds = { input_ids: tensor(encoded.inputIds), attention_mask: tensor(encoded.attentionMask) };
    const sentences = await median(async () => {
      const start = performance.now();
      await session.run(feeds);
      return 64 / ((performance.now() - start) / 1000);
    });
    return { sentences };
  },
};

function inWorker(threads) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(import.meta.url, { type: 'module' });
    worker.onmessage = ({ data }) => (data.failure ? reject(new Error(data.failure)) : resolve(data));
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(threads);
  });
}

if (globalThis.document) {
  globalThis.measure = (name, threads) => (name === 'ours' ? inWorker(threads) : engines[name](threads));
} else {
  onmessage = async ({ data }) => postMessage(await engines.ours(data).catch((error) => ({ failure: String(error) })));
}
