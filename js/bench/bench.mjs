// Speed of the WebAssembly engine in this Node as JSON, measured as bench/models.cpp measures the native one: medians of
// five runs after one that warms up.
//   node bench.mjs SMOLLM2 MINILM THREADS
import { AutoModelForCausalLM, env, init, pipeline, Tensor, tidy } from '../dist/index.mjs';

const [smollm2, minilm, threads] = process.argv.slice(2);
const runs = 5;

async function median(measure) {
  await measure();
  const values = [];
  for (let i = 0; i < runs; ++i) values.push(await measure());
  return values.sort((a, b) => a - b)[runs >> 1];
}

await init({ threads: Number(threads) });

// As the native build multiplies: activations in 8 bits.
const model = await AutoModelForCausalLM.fromPretrained(smollm2, { exactActivations: false });
const vocabulary = model.config.vocab_size;
function statsAfter(prompt, count) {
  const ids = Tensor.fromArray([Array.from({ length: prompt }, (_, i) => (i * 7919 + 11) % vocabulary)], { dtype: 'int64' });
  const generation = model.startGeneration(ids, { maxNewTokens: count, eosTokenId: null, doSample: false });
  while (generation.step());
  const stats = generation.stats();
  generation.dispose();
  ids.dispose();
  return stats;
}
const prefill = await median(() => 512 / statsAfter(512, 1).prefillSeconds);
const decode = await median(() => 127 / statsAfter(16, 128).decodeSeconds);
model.dispose();

const embed = await pipeline('feature-extraction', minilm, { worker: false });
const sentences = Array(64).fill('The quick brown fox jumps over the lazy dog while a second one watches from the hill.');
const rate = await median(async () => {
  const start = performance.now();
  const vectors = await embed(sentences, { pooling: 'mean', normalize: true });
  tidy(() => vectors.data());
  vectors.dispose();
  return sentences.length / ((performance.now() - start) / 1000);
});
await embed.dispose();

const { variant, threadCount } = env.report();
console.log(
  JSON.stringify({
    variant,
    threads: threadCount,
    prefill_tokens_per_second: prefill,
    decode_tokens_per_second: decode,
    sentences_per_second: rate,
  }),
);
process.exit(0); // the threads of the engine wait
