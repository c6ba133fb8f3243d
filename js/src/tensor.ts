/** Tensors with PyTorch's semantics and gradients. */
import type { TypedArray } from './dtype.js';
import { TrustformersError } from './errors.js';
import type { Engine } from './runtime/engine.js';
import { currentEngine } from './runtime/load.js';
import { fromValues, make, makeRandom } from './tensor/create.js';
import type { RandomOptions, TensorOptions } from './tensor/create.js';
import type { TensorLike } from './tensor/math.js';
import { runOp } from './tensor/op.js';
import { TensorShape } from './tensor/shape.js';
import type { NestedArray } from './tensor/values.js';

export type { DType, TypedArray } from './dtype.js';
export { keep, tidy } from './lifetime.js';
export { manualSeed } from './tensor/create.js';
export type { RandomOptions, TensorOptions } from './tensor/create.js';
export type { Dims, TensorLike } from './tensor/math.js';
export type { NestedArray } from './tensor/values.js';

/**
 * A tensor of the engine's. It holds memory until dispose(), the end of a tidy(), or the garbage collector. What can be
 * done with one is in tensor/: values, math, shape.
 */
export class Tensor extends TensorShape {
  static zeros(shape: readonly number[], options: TensorOptions = {}): Tensor {
    return make('zeros', { shape }, options);
  }
  static ones(shape: readonly number[], options: TensorOptions = {}): Tensor {
    return make('ones', { shape }, options);
  }
  static full(shape: readonly number[], value: number, options: TensorOptions = {}): Tensor {
    return make('full', { shape, value }, options);
  }
  /** 0 … end - 1, or start, start + step, … below end; int64 when all three are whole numbers, as in PyTorch. */
  static arange(start: number, end?: number, step = 1, options: TensorOptions = {}): Tensor {
    const [from, to] = end === undefined ? [0, start] : [start, end];
    const whole = [from, to, step].every(Number.isInteger);
    return make('arange', { start: from, end: to, step }, { dtype: whole ? 'int64' : 'float32', ...options });
  }
  static eye(n: number, options: TensorOptions = {}): Tensor {
    return make('eye', { n }, options);
  }
  /** Uniform in [0, 1). */
  static rand(shape: readonly number[], options: RandomOptions = {}): Tensor {
    return makeRandom('rand', shape, options);
  }
  /** Standard normal. */
  static randn(shape: readonly number[], options: RandomOptions = {}): Tensor {
    return makeRandom('randn', shape, options);
  }
  static zerosLike(other: Tensor): Tensor {
    return Tensor.zeros(other.shape(), { dtype: other.dtype });
  }
  static onesLike(other: Tensor): Tensor {
    return Tensor.ones(other.shape(), { dtype: other.dtype });
  }

  /**
   * From nested arrays, or a typed array with its shape. Numbers become float32, booleans bool, bigints int64, typed
   * arrays what they hold, unless `dtype` says otherwise.
   */
  static fromArray(values: NestedArray | TypedArray, options: TensorOptions & { shape?: readonly number[] } = {}): Tensor {
    const { shape, dtype, requiresGrad } = options;
    const tensor = fromValues(values, shape, dtype);
    if (requiresGrad) tensor.requiresGrad = true;
    return tensor;
  }

  static concat(tensors: readonly Tensor[], dim = 0): Tensor {
    return runOp(engineOf(tensors, 'concat'), 'concat', tensors, { dim });
  }
  static cat(tensors: readonly Tensor[], dim = 0): Tensor {
    return Tensor.concat(tensors, dim);
  }
  static stack(tensors: readonly Tensor[], dim = 0): Tensor {
    return runOp(engineOf(tensors, 'stack'), 'stack', tensors, { dim });
  }
  static where(condition: Tensor, a: TensorLike, b: TensorLike): Tensor {
    const like = a instanceof Tensor ? a : b instanceof Tensor ? b : null;
    const tensorOf = (x: TensorLike) =>
      x instanceof Tensor ? x : Tensor.full([], x, { dtype: like ? like.dtype : 'float32' });
    return runOp(condition.engine, 'where', [condition, tensorOf(a), tensorOf(b)]);
  }
}

/** Runs `body` without recording what gradients need. */
export function noGrad<T>(body: () => T): T {
  const engine = currentEngine();
  const before = engine.raw('tf_set_grad_enabled', 0);
  try {
    return body();
  } finally {
    engine.raw('tf_set_grad_enabled', before);
  }
}

function engineOf(tensors: readonly Tensor[], op: string): Engine {
  const first = tensors[0];
  if (!first) throw new TrustformersError('invalid_argument', `[${op}] expected at least one tensor`);
  return first.engine;
}
