// Tensor against PyTorch: the values and gradients of tensor_cases.json (written by make_tensor_cases.py).
import { readFileSync } from 'node:fs';
import { manualSeed, Tensor, tidy } from '../dist/index.mjs';

const { cases } = JSON.parse(readFileSync(new URL('./tensor_cases.json', import.meta.url), 'utf8'));
const special = { NaN: NaN, Infinity: Infinity, '-Infinity': -Infinity };
const numbers = (values) => values.map((v) => (typeof v === 'string' ? special[v] : v));

// Half floats and whole numbers are exact; transcendental functions and sums may differ in the last digits.
const tolerance = { float32: 2e-6, float64: 1e-13, float16: 0, bfloat16: 0 };

function tensor({ d, s, v }, requiresGrad = false) {
  const values = numbers(v);
  const out = Tensor.fromArray(d === 'bool' ? values.map(Boolean) : values, { dtype: d, shape: s });
  if (requiresGrad && d.startsWith('float')) out.requiresGrad = true;
  return out;
}

function expectTensor(actual, expected, scale = 1) {
  expect(actual.shape()).toEqual(expected.s);
  expect(actual.dtype).toBe(expected.d);
  const got = Array.from(actual.data(), Number);
  const want = numbers(expected.v);
  const allowed = (tolerance[expected.d] ?? 0) * scale;
  const bad = want.findIndex((w, i) => {
    const g = got[i];
    if (Number.isNaN(w) || Number.isNaN(g)) return Number.isNaN(w) !== Number.isNaN(g);
    return g !== w && !(Math.abs(g - w) <= allowed * Math.max(1, Math.abs(w)));
  });
  expect(bad < 0 ? null : { at: bad, got: got[bad], want: want[bad] }).toBeNull();
}

function run(row) {
  const inputs = row.in.map((t) => tensor(t, Boolean(row.grads)));
  const argument = (a) => (a && a.ts ? a.ts.map((i) => inputs[i]) : a && a.t !== undefined ? inputs[a.t] : a);
  const args = row.args.map(argument);
  const isStatic = row.call.startsWith('Tensor.');
  const out = isStatic ? Tensor[row.call.slice(7)](...args) : inputs[0][row.call](...args);
  const outs = Array.isArray(out) ? out : [out];
  expect(outs.length).toBe(row.out.length);
  outs.forEach((o, i) => expectTensor(o, row.out[i]));
  if (!row.grads) return;
  outs[0].backward(tensor(row.seed));
  row.grads.forEach((grad, i) => {
    if (!grad) return;
    // Where no gradient flows (floor, sign) PyTorch gives zeros, and the engine none.
    if (inputs[i].grad === null) expect(numbers(grad.v).every((v) => v === 0)).toBe(true);
    else expectTensor(inputs[i].grad, grad, 4);
  });
}

test('there are at least 400 cases, most with gradients', () => {
  expect(cases.length).toBeGreaterThanOrEqual(400);
  expect(cases.filter((row) => row.grads).length).toBeGreaterThan(200);
});

describe('as PyTorch', () => {
  cases.forEach((row, i) => {
    const inputs = row.in.map((t) => `${t.d}[${t.s}]`).join(' ');
    test(`${i} ${row.call} ${inputs} ${JSON.stringify(row.args)}`, () => tidy(() => run(row)));
  });
});

test('random numbers depend on the seed alone', () => {
  const draw = (seed) => Array.from(Tensor.randn([4], { seed }).data());
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
  manualSeed(3);
  const first = Array.from(Tensor.rand([3]).data());
  const second = Array.from(Tensor.rand([3]).data());
  expect(first).not.toEqual(second);
  manualSeed(3);
  expect(Array.from(Tensor.rand([3]).data())).toEqual(first);
});
