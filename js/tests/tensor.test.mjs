// Tensor's life: making, reading, freeing, and what goes wrong.
import { createRequire } from 'node:module';
import { env, init, keep, noGrad, Tensor, tidy, TrustformersError } from '../dist/index.mjs';

const code = (body) => {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(TrustformersError);
    return error.code;
  }
  return null;
};

test('the example of the documentation, ESM and CommonJS', () => {
  for (const { Tensor: T } of [{ Tensor }, createRequire(import.meta.url)('../dist/index.cjs')]) {
    const a = T.zeros([2, 3]);
    const b = T.randn([2, 3]);
    const result = a.matmul(b.transpose(0, 1));
    expect(result.shape()).toEqual([2, 2]);
    expect(result.toArray()).toEqual([[0, 0], [0, 0]]);
    expect(a.add(b).toArray()).toEqual(b.toArray());
    expect(a.mul(b).shape()).toEqual([2, 3]);
  }
});

test('values come back as they went in', async () => {
  expect(Tensor.fromArray([[1, 2.5], [-3, 4]]).toArray()).toEqual([[1, 2.5], [-3, 4]]);
  expect(Tensor.fromArray([true, false]).toArray()).toEqual([true, false]);
  expect(Tensor.fromArray(5).item()).toBe(5);
  const big = 2n ** 60n;
  expect(Tensor.fromArray([big, 3n]).toArray()).toEqual([big, 3]);
  expect(Tensor.fromArray(new Int32Array([1, 2]), { shape: [2, 1] }).dtype).toBe('int32');
  expect(Tensor.fromArray([1, 2], { dtype: 'float16' }).dtype).toBe('float16');
  expect(Array.from(await Tensor.arange(3).read())).toEqual([0n, 1n, 2n]);
  expect(Tensor.zeros([0, 2]).toArray()).toEqual([]);
  expect(String(Tensor.ones([2]))).toBe('Tensor(float32 [2])');
});

test('errors are typed and say what came', () => {
  const x = Tensor.ones([2, 3]);
  expect(code(() => x.matmul(x))).toBe('shape_mismatch');
  expect(() => x.matmul(x)).toThrow(/\[2, 3\]/);
  expect(code(() => x.sum(5))).toBe('out_of_range');
  expect(code(() => x.to('float'))).toBe('invalid_argument');
  expect(code(() => x.item())).toBe('shape_mismatch');
  expect(code(() => x.add('1'))).toBe('invalid_argument');
  expect(code(() => Tensor.fromArray([[1], [2, 3]]))).toBe('shape_mismatch');
  expect(code(() => Tensor.fromArray(['a']))).toBe('invalid_argument');
  expect(code(() => Tensor.concat([]))).toBe('invalid_argument');
  expect(code(() => Tensor.arange(3).sum().backward())).not.toBeNull();
  expect(code(() => (Tensor.arange(3).requiresGrad = true))).toBe('dtype_mismatch');
  expect(x.toArray()).toEqual([[1, 1, 1], [1, 1, 1]]);
});

test('memory that is not there is a typed error, and the engine goes on', () => {
  expect(code(() => Tensor.zeros([1 << 15, 1 << 15, 4]))).toBe('out_of_memory');
  expect(Tensor.ones([2]).sum().item()).toBe(2);
});

test('a disposed tensor refuses by name', () => {
  const x = Tensor.ones([2]);
  x.dispose();
  x.dispose();
  expect(x.disposed).toBe(true);
  expect(code(() => x.add(1))).toBe('disposed');
  expect(code(() => x.shape())).toBe('disposed');
  const y = Tensor.ones([2]);
  expect(code(() => y.add(x))).toBe('disposed');
});

test('tidy disposes what is not returned or kept', () => {
  const before = env.memory().liveHandles;
  let kept;
  const { result, inner } = tidy(() => {
    kept = keep(Tensor.ones([3]));
    const middle = kept.add(1);
    const inner = tidy(() => middle.mul(2).add(1));
    return { result: middle.sum(), inner };
  });
  expect(result.item()).toBe(6);
  expect(inner.toArray()).toEqual([5, 5, 5]);
  expect(env.memory().liveHandles).toBe(before + 3);
  for (const t of [result, inner, kept]) t.dispose();
  expect(env.memory().liveHandles).toBe(before);
  expect(code(() => tidy(() => Promise.resolve()))).toBe('invalid_argument');
});

test('noGrad records nothing', () => {
  const x = Tensor.ones([2], { requiresGrad: true });
  expect(x.mul(2).requiresGrad).toBe(true);
  expect(noGrad(() => x.mul(2)).requiresGrad).toBe(false);
  expect(x.mul(2).detach().requiresGrad).toBe(false);
  x.mul(3).sum().backward();
  x.mul(3).sum().backward();
  expect(x.grad.toArray()).toEqual([6, 6]);
  x.zeroGrad();
  expect(x.grad).toBeNull();
});

test('a thousand rounds leave the heap as it was', () => {
  const round = () => tidy(() => Tensor.randn([64, 64], { seed: 1 }).matmul(Tensor.ones([64, 64])).softmax().sum().item());
  for (let i = 0; i < 50; ++i) round();
  const before = env.memory();
  for (let i = 0; i < 1000; ++i) round();
  const after = env.memory();
  expect(after.liveHandles).toBe(before.liveHandles);
  expect(after.heapBytes).toBeLessThanOrEqual(before.heapBytes * 1.02);
  expect(after.storageBytes).toBeLessThanOrEqual(before.storageBytes * 1.02);
});

test('init may be called again, and the report says what is used', async () => {
  await init();
  const report = env.report();
  expect(report.loaded).toBe(true);
  expect(['simd', 'relaxed']).toContain(report.variant);
  expect(report.simd).toBe('');
  expect(env.engineInfo().kernels).toMatch(/simd/);
});
