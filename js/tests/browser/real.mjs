// Real models in a page: `chat(url, options)` and `embed(url)`.
import init, { pipeline, TextStreamer } from '/package/pkg/trustformers_js.js';
import { minilm, smollm2 } from '/suites/native_answers.mjs';

globalThis.chat = async (url, options) => {
  const write = await pipeline('text-generation', new URL(url, location.href), options);
  const tokens = [];
  const streamer = new TextStreamer(null, { tokenCallbackFunction: (ids) => tokens.push(...ids) });
  const start = performance.now();
  const [{ generated_text: turns }] = await write(smollm2.messages, { ...smollm2.options, streamer });
  const seconds = (performance.now() - start) / 1000;
  const { variant, threadCount } = write.report;
  await write.dispose();
  return { tokens, text: turns.at(-1).content, seconds, variant, threadCount };
};

globalThis.embed = async (url) => {
  await init();
  const vectorsOf = await pipeline('feature-extraction', new URL(url, location.href));
  const vectors = await vectorsOf(minilm.texts, { pooling: 'mean', normalize: true });
  const [[, alike, other]] = vectors.matmul(vectors.transpose(0, 1)).toArray();
  vectors.dispose();
  await vectorsOf.dispose();
  return { alike, other };
};
globalThis.ready = true;
