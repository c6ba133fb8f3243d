// A thousand rounds of making, running and disposing leave the heap as it was.
import { AutoModelForCausalLM, env, Tensor } from '../dist/index.mjs';

const config = { model_type: 'gpt2', vocab_size: 64, n_positions: 32, n_embd: 16, n_layer: 1, n_head: 2, bos_token_id: 0, eos_token_id: 63 };

async function round() {
  const model = await AutoModelForCausalLM.fromConfig(config, { seed: 1 });
  const ids = Tensor.fromArray([[1, 2, 3]], { dtype: 'int64' });
  const { logits } = await model.forward(ids);
  const out = await model.generate(ids, { maxNewTokens: 2 });
  for (const thing of [model, ids, logits, out]) thing.dispose();
}

test('1,000 rounds with a model', async () => {
  for (let i = 0; i < 50; ++i) await round();
  const before = env.memory();
  for (let i = 0; i < 1000; ++i) await round();
  const after = env.memory();
  expect(after.liveHandles).toBe(before.liveHandles);
  expect(after.heapBytes).toBeLessThanOrEqual(before.heapBytes * 1.02);
  expect(after.storageBytes).toBeLessThanOrEqual(before.storageBytes * 1.02);
}, 120_000);
