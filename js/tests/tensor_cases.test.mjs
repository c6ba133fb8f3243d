// Tensor against PyTorch: the values and gradients of tensor_cases.json (written by make_tensor_cases.py).
import { readFileSync } from 'node:fs';
import { manualSeed, Tensor, tidy } from '../dist/index.mjs';
import { nameOf, runTensorCase } from './suites/tensor_case.mjs';

const { cases } = JSON.parse(readFileSync(new URL('./tensor_cases.json', import.meta.url), 'utf8'));

test('there are at least 400 cases, most with gradients', () => {
  expect(cases.length).toBeGreaterThanOrEqual(400);
  expect(cases.filter((row) => row.grads).length).toBeGreaterThan(200);
});

describe('as PyTorch', () => {
  cases.forEach((row, i) => {
    test(nameOf(row, i), () => expect(runTensorCase({ Tensor, tidy }, row)).toBe(''));
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
