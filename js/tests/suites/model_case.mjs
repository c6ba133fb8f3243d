// A golden case of a model (tests/goldens/README or the case itself says what it holds), run through the package; the
// same in Node and in pages. Gives rows {name, failure, skipped}.
import { readSafetensors } from './safetensors.mjs';

const byPosition = /^(encoder_last_hidden_state|last_hidden_state|logits|start_logits|end_logits|prediction_logits)$|hidden_states\./;

/** Greatest error over the spread of the finite expected values; positions whose mask is 0 are not looked at. */
export function relativeError(got, expected, mask) {
  if (String(got.shape) !== String(expected.shape)) return Infinity;
  const a = got.data;
  const b = expected.data;
  const tokens = mask && mask.shape[0] === expected.shape[0] && mask.shape[1] === expected.shape[1] ? mask.data.length : 0;
  const width = tokens ? b.length / tokens : 1;
  let low = Infinity;
  let high = -Infinity;
  let error = 0;
  for (let i = 0; i < b.length; ++i) {
    if (tokens && Number(mask.data[Math.floor(i / width)]) === 0) continue;
    const want = Number(b[i]);
    if (!Number.isFinite(want)) {
      if (!Object.is(Number(a[i]), want)) return Infinity;
      continue;
    }
    low = Math.min(low, want);
    high = Math.max(high, want);
    const off = Math.abs(Number(a[i]) - want);
    if (!(off <= error)) error = Number.isNaN(off) ? Infinity : off;
  }
  const spread = high > low ? high - low : Math.max(1, Math.abs(high));
  return error === 0 ? 0 : error / spread;
}

function plain(tensor) {
  return { shape: tensor.shape(), data: tensor.data() };
}

/** Why a case cannot be opened here, or null. */
function obstacle(about, files) {
  if (!about.model_type || !about.class || !about.weights || !about.runs) return 'no case of a model';
  const weights = [about.weights].flat();
  const other = weights.find((name) => !/\.(safetensors|gguf|index\.json)$/.test(name));
  if (other) return `no reader for ${other}`;
  if (files['adapter/adapter_config.json']) return 'adapters are folders';
  const config = files['config.json'] && JSON.parse(new TextDecoder().decode(files['config.json']));
  if (config?.quantization_config?.quant_method) return `no quantised layout ${config.quantization_config.quant_method}`;
  return null;
}

/** `lib` is the package; `files` maps names inside the case's folder to bytes. */
export async function runModelCase(lib, files) {
  const about = JSON.parse(new TextDecoder().decode(files['case.json']));
  const rows = [];
  const skip = (name, why) => rows.push({ name, skipped: why, failure: '' });
  const why = obstacle(about, files);
  if (why) return [{ name: 'case', skipped: why, failure: '' }];
  const wanted = [about.weights].flat();
  const source = Object.fromEntries(Object.entries(files).filter(([name]) => name.endsWith('.json') || wanted.includes(name)));
  // what transformers was told to use when the cases were written, and files do not say
  if (about.made_with?.transformers?.startsWith('5.') && source['config.json']) {
    const config = JSON.parse(new TextDecoder().decode(source['config.json']));
    source['config.json'] = new TextEncoder().encode(JSON.stringify({ ...config, attn_implementation: 'eager' }));
  }
  const model = await lib.AutoModel.fromPretrained(source, { className: about.class, exactActivations: true });
  try {
    if (files['inputs.safetensors'] && files['expected.safetensors']) {
      const inputs = readSafetensors(files['inputs.safetensors']);
      const expected = readSafetensors(files['expected.safetensors']);
      for (const run of Object.keys(about.runs))
        if (run !== 'train') lib.tidy(() => forward(lib, model, about, run, inputs, expected, rows, skip));
    }
    for (const entry of about.generate ?? []) await generate(lib, model, entry, rows, skip);
  } finally {
    model.dispose();
  }
  return rows;
}

function forward(lib, model, about, run, stored, expected, rows, skip) {
  const calls = Object.keys(about.call?.[run] ?? {}).filter((name) => name !== 'output_hidden_states');
  if (calls.length > 0) return skip(run, `the argument ${calls[0]}`);
  const raw = {};
  for (const [name, value] of stored) if (name.startsWith(`${run}/`)) raw[name.slice(run.length + 1)] = value;
  if (!raw.input_ids && !raw.inputs_embeds) return skip(run, 'no inputs of its own');
  const inputs = Object.fromEntries(Object.entries(raw).map(([name, { dtype, shape, data }]) => [name, lib.Tensor.fromArray(data, { shape, dtype })]));
  const names = [...expected.keys()].filter((name) => name.startsWith(`${run}/`)).map((name) => name.slice(run.length + 1));
  const length = (raw.input_ids ?? raw.inputs_embeds).shape[1];
  const logits = expected.get(`${run}/logits`);
  if (logits && model.canGenerate && !model.isEncoderDecoder && logits.shape[1] < length) return skip(run, 'steps on a cache');
  let outputs;
  try {
    outputs = model.forwardSync(inputs, { outputHiddenStates: names.some((name) => name.includes('hidden_states.')) });
  } catch (error) {
    if (/there is no input/.test(error.message)) return skip(run, error.message);
    throw error;
  }
  const judge = (item, got, want, mask) => {
    const error = relativeError(got, want, mask);
    rows.push({ name: `${run} ${item}`, skipped: '', failure: error <= about.tolerance ? '' : `error ${error}, at most ${about.tolerance}` });
  };
  if (expected.has(`${run}/logits.0`)) {
    for (let step = 0, done = 0; expected.has(`${run}/logits.${step}`); ++step) {
      const want = expected.get(`${run}/logits.${step}`);
      judge(`logits.${step}`, plain(outputs.logits.slice(1, done, (done += want.shape[1]))), want);
    }
    return;
  }
  for (const item of names) {
    const dot = item.indexOf('.');
    const got = dot < 0 ? outputs[item] : outputs[item.slice(0, dot)]?.[Number(item.slice(dot + 1))];
    const want = expected.get(`${run}/${item}`);
    if (!got) {
      rows.push({ name: `${run} ${item}`, skipped: '', failure: 'the output is missing' });
      continue;
    }
    const ofEncoder = item.startsWith('encoder_');
    const mask = byPosition.test(item) ? (model.isEncoderDecoder && !ofEncoder ? raw.decoder_attention_mask : raw.attention_mask) : undefined;
    judge(item, plain(got), want, mask);
  }
}

async function generate(lib, model, entry, rows, skip) {
  const name = `generate ${entry.name}`;
  if (!entry.input_ids || entry.encoder_inputs || (!entry.output_ids && !entry.new_ids)) return skip(name, 'inputs of another file');
  if (entry.settings.assistant_model) return skip(name, 'an assistant model');
  const inputs = { input_ids: lib.Tensor.fromArray(entry.input_ids, { dtype: 'int64' }) };
  if (entry.attention_mask) inputs.attention_mask = lib.Tensor.fromArray(entry.attention_mask, { dtype: 'int64' });
  try {
    const ids = await model.generate(inputs, entry.settings);
    const got = ids.toArray();
    ids.dispose();
    const start = entry.new_ids ? entry.input_ids[0].length : 0;
    const same = JSON.stringify(got.map((row) => row.slice(start))) === JSON.stringify(entry.new_ids ?? entry.output_ids);
    rows.push({ name, skipped: '', failure: same ? '' : `got ${JSON.stringify(got)}` });
  } catch (error) {
    if (error.code !== 'unsupported') throw error;
    skip(name, error.message);
  } finally {
    for (const tensor of Object.values(inputs)) tensor.dispose();
  }
}
