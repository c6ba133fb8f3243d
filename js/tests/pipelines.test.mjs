// Pipelines in this thread and in one of their own: the same answers.
import * as lib from '../dist/index.mjs';
import { tinyModels } from './suites/tiny_models.mjs';

const { pipeline, TextStreamer, TrustformersError } = lib;
const models = await tinyModels(lib);
const classifierFiles = models['distilbert/distilbert-base-uncased-finetuned-sst-2-english'];

const rejected = async (promise) => {
  try {
    await promise;
  } catch (error) {
    expect(error).toBeInstanceOf(TrustformersError);
    return error.code;
  }
  return null;
};

describe.each([false, true])('in a worker: %s', (worker) => {
  const open = [];
  const load = async (task, files, options = {}) => {
    const made = await pipeline(task, files, { worker, threads: 1, ...options });
    open.push(made);
    return made;
  };
  afterAll(() => Promise.all(open.map((p) => p.dispose())));

  test('text-classification', async () => {
    const classify = await load('sentiment-analysis', classifierFiles);
    expect(classify.task).toBe('text-classification');
    const [best] = await classify('hello world');
    expect(['NEGATIVE', 'POSITIVE']).toContain(best.label);
    const all = await classify('hello world', { topK: null });
    expect(all[0]).toEqual(best);
    expect(all[0].score + all[1].score).toBeCloseTo(1, 6);
    expect(await classify(['hello world', 'a'], { top_k: 2 })).toHaveLength(2);
    const raw = await classify('hello world', { functionToApply: 'none', topK: 2 });
    expect(Math.exp(raw[0].score) / (Math.exp(raw[0].score) + Math.exp(raw[1].score))).toBeCloseTo(best.score, 5);
    expect(await rejected(classify('a', { topk: 1 }))).toBe('invalid_argument');
    expect(await rejected(classify(5))).toBe('invalid_argument');
  });

  test('token-classification', async () => {
    const tag = await load('ner', models['dbmdz/bert-large-cased-finetuned-conll03-english']);
    const text = 'Hello, 😀 world!';
    const tokens = await tag(text, { ignoreLabels: [] });
    expect(tokens.map((t) => text.slice(t.start, t.end).toLowerCase()).join('')).toContain('world');
    expect(tokens.every((t) => t.score > 0 && t.score <= 1 && t.index > 0)).toBe(true);
    const groups = await tag(text, { aggregationStrategy: 'simple', ignoreLabels: [] });
    expect(groups.length).toBeLessThanOrEqual(tokens.length);
    expect(groups[0].entity_group).toMatch(/^(O|PER)$/);
    expect(await rejected(tag(text, { aggregationStrategy: 'last' }))).toBe('invalid_argument');
  });

  test('fill-mask', async () => {
    const fill = await load('fill-mask', models['distilbert/distilroberta-base']);
    const found = await fill('hello [MASK]', { topK: 3 });
    expect(found).toHaveLength(3);
    expect(found[0].score).toBeGreaterThanOrEqual(found[1].score);
    expect(found[0].sequence).toMatch(/^hello/);
    expect(await rejected(fill('no mask'))).toBe('invalid_argument');
  });

  test('question-answering', async () => {
    const answer = await load('question-answering', models['distilbert/distilbert-base-cased-distilled-squad']);
    const context = 'The quick brown fox jumps over the lazy dog. '.repeat(20);
    const found = await answer({ question: 'Who jumps?', context }, { topK: 3, maxSeqLen: 64, docStride: 16 });
    expect(found).toHaveLength(3);
    for (const { start, end, answer: text, score } of found) {
      expect(context.slice(start, end)).toBe(text);
      expect(score).toBeGreaterThan(0);
    }
    expect((await answer({ question: 'Who?', context: 'A fox.' })).answer.length).toBeGreaterThan(0);
    expect(await rejected(answer('Who?'))).toBe('invalid_argument');
  });

  test('feature-extraction', async () => {
    const embed = await load('feature-extraction', models['distilbert/distilbert-base-cased']);
    const none = await embed('hello world');
    const mean = await embed(['hello world', 'a much longer text than that'], { pooling: 'mean', normalize: true });
    expect(none.shape()[2]).toBe(32);
    expect(mean.shape()).toEqual([2, 32]);
    const states = none.mean(1);
    const unit = states.div(states.norm(-1, true)).toArray()[0];
    mean.toArray()[0].forEach((x, i) => expect(x).toBeCloseTo(unit[i], 5));
    expect((await embed('hello', { pooling: 'cls' })).shape()).toEqual([1, 32]);
    const last = await embed(['hello world', 'a'], { pooling: 'last_token' });
    last.toArray()[0].forEach((x, i) => expect(x).toBeCloseTo(none.toArray()[0].at(-1)[i], 5));
  });

  test('text-generation: text, chat, streams', async () => {
    const write = await load('text-generation', models.gpt2);
    const [{ generated_text: text }] = await write('Hello world', { maxNewTokens: 12 });
    expect(text.startsWith('Hello world')).toBe(true);
    const pieces = [];
    for await (const piece of write.stream('Hello world', { max_new_tokens: 12 })) pieces.push(piece);
    expect('Hello world' + pieces.join('')).toBe(text);
    expect(pieces.length).toBeGreaterThan(1);
    let streamed = '';
    let count = 0;
    const streamer = new TextStreamer(write.tokenizer, { skip_prompt: true, callback_function: (t) => (streamed += t), token_callback_function: () => ++count });
    await write('Hello world', { max_new_tokens: 12, streamer });
    expect('Hello world' + streamed).toBe(text);
    expect(count).toBe(12);
    const stop = text.slice('Hello world'.length + 2, 'Hello world'.length + 4);
    const [cut] = await write('Hello world', { max_new_tokens: 12, stopStrings: stop, returnFullText: false });
    expect(text.slice(11).startsWith(cut.generated_text)).toBe(true);
    expect(cut.generated_text.indexOf(stop)).toBeGreaterThan(0);
    expect(cut.generated_text.length).toBeLessThan(text.length - 11);

    const messages = [{ role: 'user', content: 'Hi' }];
    const [{ generated_text: turns }] = await write(messages, { max_new_tokens: 8 });
    expect(turns).toHaveLength(2);
    expect(turns[1].role).toBe('assistant');
    const again = await write([...turns, { role: 'user', content: 'More' }], { max_new_tokens: 8 });
    expect(again[0].generated_text).toHaveLength(4);

    const both = await write('Hello', { max_new_tokens: 6, do_sample: true, seed: 1, numReturnSequences: 2 });
    expect(both).toHaveLength(2);
    expect(await write(['Hello', 'world'], { max_new_tokens: 4 })).toHaveLength(2);
    expect(await rejected(write('Hello', { max_new_token: 4 }))).toBe('invalid_argument');
  });

  test('a generation is cancelled within one token', async () => {
    const write = await load('text-generation', models.gpt2);
    const controller = new AbortController();
    let tokens = 0;
    let after = 0;
    const streamer = new TextStreamer(null, {
      tokenCallbackFunction: () => {
        if (controller.signal.aborted) ++after;
        if (++tokens === 3) controller.abort();
      },
    });
    expect(await rejected(write('Hello', { maxNewTokens: 100, streamer, signal: controller.signal }))).toBe('cancelled');
    expect(tokens).toBeLessThan(100);
    // What a worker has posted already still arrives.
    expect(after).toBeLessThanOrEqual(worker ? 20 : 0);
    expect(await rejected(write('Hello', { signal: AbortSignal.abort() }))).toBe('cancelled');
    for await (const piece of write.stream('Hello', { maxNewTokens: 100 })) if (piece) break;
    expect((await write('Hello', { maxNewTokens: 2 }))[0].generated_text).toMatch(/^Hello/);
  });

  test('progress, and what cannot be loaded', async () => {
    const events = [];
    await load('text-generation', models.gpt2, { progressCallback: (info) => events.push(info) });
    expect(new Set(events.map((e) => e.status))).toEqual(new Set(['initiate', 'download', 'progress', 'progress_total', 'done', 'ready']));
    const totals = events.filter((e) => e.status === 'progress_total');
    expect(totals.at(-1).loaded).toBe(totals.at(-1).total);
    expect(await rejected(load('no-such-task', models.gpt2))).toBe('unsupported');
    expect(await rejected(load('text-generation', './no/such/folder'))).toBe('not_found');
    expect(await rejected(load('text-generation', models.gpt2, { dtpye: 'q4' }))).toBe('invalid_argument');
    expect(await rejected(load('text-generation', models.gpt2, { device: 'webgpu' }))).toBe('unsupported');
    expect(await rejected(load('fill-mask', models.gpt2))).not.toBeNull();
    const { 'config.json': _, ...bare } = models.gpt2;
    expect(await rejected(load('text-generation', bare))).toBe('not_found');
    const torn = { ...models.gpt2, 'model.safetensors': models.gpt2['model.safetensors'].slice(0, 5000) };
    expect(await rejected(load('text-generation', torn))).toBe('parse');
  });

  test('after dispose() it refuses', async () => {
    const classify = await pipeline('text-classification', classifierFiles, { worker, threads: 1 });
    await classify.dispose();
    await classify.dispose();
    expect(await rejected(classify('hello'))).toBe('disposed');
  });
});
