// The suites in a page: `runAll(hub)` gives rows {name, failure, skipped}.
import * as lib from '/package/pkg/trustformers_js.js';
import { runModelCase } from '/suites/model_case.mjs';
import { nameOf, runTensorCase } from '/suites/tensor_case.mjs';
import { runTokenizerCase } from '/suites/tokenizer_case.mjs';

const { default: init, env, pipeline, Tensor, TrustformersError } = lib;
const json = async (path) => (await fetch(path)).json();

async function filesOf(folder, names) {
  const bytes = await Promise.all(names.map(async (name) => new Uint8Array(await (await fetch(`/goldens/${folder}/${name}`)).arrayBuffer())));
  return Object.fromEntries(names.map((name, i) => [name, bytes[i]]));
}

function equal(got, want) {
  if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(`got ${JSON.stringify(got)}, expected ${JSON.stringify(want)}`);
}
async function codeOf(promise) {
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof TrustformersError)) throw error;
    return error.code;
  }
  return null;
}

/** What only a page can show. */
const ownTests = {
  'the engine must be loaded first': async () => {
    let code = null;
    try {
      Tensor.zeros([1]);
    } catch (error) {
      code = error.code;
    }
    equal(code, 'not_initialized');
    await init();
    equal(Tensor.zeros([1]).toArray(), [0]);
  },
  'the report says whether threads can be had': async ({ isolated }) => {
    const report = env.report();
    equal(report.loaded, true);
    if (isolated) equal(report.threads, '');
    else if (!report.threads.includes('cross-origin isolated')) throw new Error(report.threads);
  },
  'a pipeline in a worker, its model from the hub and then from the cache': async ({ hub, isolated, threaded }) => {
    env.remoteHost = hub;
    const options = { threads: 2 };
    const first = await pipeline('sentiment-analysis', undefined, options);
    equal(first.report.variant.endsWith('-threads'), isolated && threaded);
    const result = await first('I love WebAssembly!');
    await first.dispose();
    const second = await pipeline('sentiment-analysis', undefined, { ...options, localFilesOnly: true });
    equal(await second('I love WebAssembly!'), result);
    await second.dispose();
    const here = await pipeline('sentiment-analysis', undefined, { worker: false, localFilesOnly: true });
    equal((await here('I love WebAssembly!'))[0].label, result[0].label);
    await here.dispose();
  },
  'streams, and the page stays free': async () => {
    const write = await pipeline('text-generation', 'gpt2', { threads: 1 });
    let worst = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      worst = Math.max(worst, performance.now() - last - 10);
      last = performance.now();
    }, 10);
    let text = '';
    for await (const piece of write.stream('Hello', { maxNewTokens: 60 })) text += piece;
    clearInterval(timer);
    equal('Hello' + text, (await write('Hello', { maxNewTokens: 60 }))[0].generated_text);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 5);
    equal(await codeOf(write('Hello', { maxNewTokens: 100, minNewTokens: 100, signal: controller.signal })), 'cancelled');
    await write.dispose();
    if (worst > 200) throw new Error(`the page waited for ${worst} ms`);
  },
  'a large file goes to the private file system': async () => {
    const model = await lib.AutoModelForCausalLM.fromPretrained('big/gpt2');
    const size = model.numParameters();
    model.dispose();
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('trustformers');
    const names = [];
    for await (const name of folder.keys()) names.push(name);
    equal(names.filter((name) => name.endsWith('.whole')).length, 1);
    const again = await lib.AutoModelForCausalLM.fromPretrained('big/gpt2', { localFilesOnly: true });
    equal(again.numParameters(), size);
    again.dispose();
  },
  'without the Cache API IndexedDB keeps files': async () => {
    const own = Object.getOwnPropertyDescriptor(globalThis, 'caches');
    Object.defineProperty(globalThis, 'caches', { value: undefined, configurable: true });
    try {
      const first = await lib.AutoConfig.fromPretrained('bert-base-uncased');
      equal(await lib.AutoConfig.fromPretrained('bert-base-uncased', { localFilesOnly: true }), first);
    } finally {
      if (own) Object.defineProperty(globalThis, 'caches', own);
      else delete globalThis.caches;
    }
  },
  'files of a file input': async () => {
    const names = ['config.json', 'tokenizer.json', 'model.safetensors'];
    const files = await Promise.all(
      names.map(async (name) => new File([await (await fetch(`${env.remoteHost}gpt2/resolve/main/${name}`)).arrayBuffer()], name)),
    );
    const write = await pipeline('text-generation', files, { threads: 1 });
    equal((await write('Hello', { maxNewTokens: 2 }))[0].generated_text.startsWith('Hello'), true);
    await write.dispose();
  },
  'what a server lacks': async () => {
    equal(await codeOf(pipeline('text-generation', 'no/such-model', { worker: false })), 'not_found');
    equal(await codeOf(pipeline('text-generation', 'no/such-model')), 'not_found');
    equal(await codeOf(lib.AutoModel.fromPretrained('/nothing/here/')), 'not_found');
  },
};

globalThis.runAll = async (context) => {
  const rows = [];
  const guarded = async (name, body) => {
    try {
      const found = await body();
      for (const row of found ?? [{ name: '', failure: '', skipped: '' }]) rows.push({ ...row, name: `${name} ${row.name}`.trimEnd() });
    } catch (error) {
      rows.push({ name, skipped: '', failure: String(error?.stack ?? error) });
    }
  };
  const isolated = globalThis.crossOriginIsolated;
  for (const [name, body] of Object.entries(ownTests)) await guarded(name, () => body({ ...context, isolated }));
  const { cases } = await json('/package/tests/tensor_cases.json');
  for (const [i, row] of cases.entries()) await guarded(nameOf(row, i), () => [{ name: '', skipped: '', failure: runTensorCase(lib, row) }]);
  const { models, tokenizers } = await json('/manifest.json');
  for (const [name, files] of Object.entries(models)) await guarded(name, async () => runModelCase(lib, await filesOf(name, files)));
  const corpus = await json('/goldens/tokenizers/corpus.json');
  for (const [name, files] of Object.entries(tokenizers)) await guarded(name, async () => runTokenizerCase(lib, await filesOf(name, files), corpus));
  return { rows, isolated, report: env.report() };
};
