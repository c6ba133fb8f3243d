// What is computed of a tensor: arithmetic, comparison, functions of one element, reductions.
import { shortName } from '../dtype.js';
import type { DType } from '../dtype.js';
import { TrustformersError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { runOp } from './op.js';
import type { Attributes } from './op.js';
import { TensorValues } from './values.js';

export type TensorLike = Tensor | number;
export type Dims = number | readonly number[] | null;

function dimsOf(dims: Dims | undefined): readonly number[] | undefined {
  return dims === undefined || dims === null ? undefined : typeof dims === 'number' ? [dims] : dims;
}

export abstract class TensorMath extends TensorValues {
  // ---- Arithmetic; numbers broadcast

  add(other: TensorLike): Tensor {
    return this.binary('add', other);
  }
  sub(other: TensorLike): Tensor {
    return this.binary('sub', other);
  }
  mul(other: TensorLike): Tensor {
    return this.binary('mul', other);
  }
  div(other: TensorLike): Tensor {
    return this.binary('div', other);
  }
  /** With the sign of the divisor, as in Python. */
  remainder(other: TensorLike): Tensor {
    return this.binary('remainder', other);
  }
  maximum(other: TensorLike): Tensor {
    return this.binary('maximum', other);
  }
  minimum(other: TensorLike): Tensor {
    return this.binary('minimum', other);
  }
  pow(exponent: number): Tensor {
    return this.op('pow', { exponent });
  }
  matmul(other: Tensor): Tensor {
    return runOp(this.engine, 'matmul', [this, other]);
  }

  // ---- Comparison: bool tensors

  eq(other: TensorLike): Tensor {
    return this.binary('equal', other);
  }
  ne(other: TensorLike): Tensor {
    return this.binary('not_equal', other);
  }
  lt(other: TensorLike): Tensor {
    return this.binary('less', other);
  }
  le(other: TensorLike): Tensor {
    return this.binary('less_equal', other);
  }
  gt(other: TensorLike): Tensor {
    return this.binary('greater', other);
  }
  ge(other: TensorLike): Tensor {
    return this.binary('greater_equal', other);
  }
  logicalAnd(other: Tensor): Tensor {
    return runOp(this.engine, 'logical_and', [this, other]);
  }
  logicalOr(other: Tensor): Tensor {
    return runOp(this.engine, 'logical_or', [this, other]);
  }
  logicalNot(): Tensor {
    return this.op('logical_not');
  }
  isNaN(): Tensor {
    return this.op('is_nan');
  }
  /** Where `mask` is true, `value` instead. */
  maskedFill(mask: Tensor, value: number): Tensor {
    return runOp(this.engine, 'masked_fill', [this, mask], { value });
  }

  // ---- Element by element

  neg(): Tensor {
    return this.op('neg');
  }
  abs(): Tensor {
    return this.op('abs');
  }
  sign(): Tensor {
    return this.op('sign');
  }
  exp(): Tensor {
    return this.op('exp');
  }
  log(): Tensor {
    return this.op('log');
  }
  sqrt(): Tensor {
    return this.op('sqrt');
  }
  rsqrt(): Tensor {
    return this.op('rsqrt');
  }
  sin(): Tensor {
    return this.op('sin');
  }
  cos(): Tensor {
    return this.op('cos');
  }
  tanh(): Tensor {
    return this.op('tanh');
  }
  sigmoid(): Tensor {
    return this.op('sigmoid');
  }
  erf(): Tensor {
    return this.op('erf');
  }
  floor(): Tensor {
    return this.op('floor');
  }
  ceil(): Tensor {
    return this.op('ceil');
  }
  /** Halves to the even neighbour, as in PyTorch. */
  round(): Tensor {
    return this.op('round');
  }
  relu(): Tensor {
    return this.op('relu');
  }
  gelu(approximate: 'none' | 'tanh' = 'none'): Tensor {
    return this.op('gelu', { approximate });
  }
  silu(): Tensor {
    return this.op('silu');
  }
  softplus(): Tensor {
    return this.op('softplus');
  }
  square(): Tensor {
    return runOp(this.engine, 'mul', [this, this]);
  }
  reciprocal(): Tensor {
    return runOp(this.engine, 'div', [this], { scalar: 1, reverse: true });
  }
  clamp(min?: number | null, max?: number | null): Tensor {
    return this.op('clamp', { min: min ?? undefined, max: max ?? undefined });
  }
  to(dtype: DType): Tensor {
    return this.op('cast', { dtype: shortName(dtype) });
  }

  // ---- Reductions: over all dimensions, one, or several

  sum(dim?: Dims, keepdim = false): Tensor {
    return this.reduce('sum', dim, keepdim);
  }
  mean(dim?: Dims, keepdim = false): Tensor {
    return this.reduce('mean', dim, keepdim);
  }
  /** The values alone; argmax() tells where. */
  max(dim?: Dims, keepdim = false): Tensor {
    return this.reduce('max', dim, keepdim);
  }
  min(dim?: Dims, keepdim = false): Tensor {
    return this.reduce('min', dim, keepdim);
  }
  var(dim?: Dims, keepdim = false, correction = 1): Tensor {
    return this.op('var', { dims: dimsOf(dim), keepdim, correction });
  }
  std(dim?: Dims, keepdim = false, correction = 1): Tensor {
    return this.op('std', { dims: dimsOf(dim), keepdim, correction });
  }
  norm(dim?: Dims, keepdim = false): Tensor {
    return this.reduce('norm', dim, keepdim);
  }
  logsumexp(dim: Dims, keepdim = false): Tensor {
    return this.reduce('logsumexp', dim, keepdim);
  }
  all(dim?: Dims, keepdim = false): Tensor {
    return this.reduce('all', dim, keepdim);
  }
  any(dim?: Dims, keepdim = false): Tensor {
    return this.reduce('any', dim, keepdim);
  }
  /** The first index of the largest element; without `dim`, of the flattened tensor. */
  argmax(dim?: number | null, keepdim = false): Tensor {
    return this.op('argmax', { dim: dim ?? undefined, keepdim });
  }
  argmin(dim?: number | null, keepdim = false): Tensor {
    return this.op('argmin', { dim: dim ?? undefined, keepdim });
  }
  cumsum(dim: number): Tensor {
    return this.op('cumsum', { dim });
  }
  softmax(dim = -1): Tensor {
    return this.op('softmax', { dim });
  }
  logSoftmax(dim = -1): Tensor {
    return this.op('log_softmax', { dim });
  }
  layerNorm(weight: Tensor | null = null, bias: Tensor | null = null, eps = 1e-5): Tensor {
    return runOp(this.engine, 'layer_norm', [this, weight, bias], { eps });
  }
  rmsNorm(weight: Tensor | null = null, eps = 1e-6): Tensor {
    return runOp(this.engine, 'rms_norm', [this, weight], { eps });
  }

  protected op(name: string, attributes?: Attributes): Tensor {
    return runOp(this.engine, name, [this], attributes);
  }
  private binary(name: string, other: TensorLike): Tensor {
    if (other instanceof TensorValues) return runOp(this.engine, name, [this, other]);
    if (typeof other !== 'number')
      throw new TrustformersError('invalid_argument', `[${name}] expected a tensor or a number, got ${typeof other}`);
    return runOp(this.engine, name, [this], { scalar: other });
  }
  private reduce(name: string, dim: Dims | undefined, keepdim: boolean): Tensor {
    return this.op(name, { dims: dimsOf(dim), keepdim });
  }
}
