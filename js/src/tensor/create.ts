// New tensors: by ops that need no other, from typed arrays, from nested ones.
import { dtypeNumber, dtypeOfArray, shortName } from '../dtype.js';
import type { DType, TypedArray } from '../dtype.js';
import { TrustformersError } from '../errors.js';
import type { Engine } from '../runtime/engine.js';
import { currentEngine } from '../runtime/load.js';
import type { Tensor } from '../tensor.js';
import { runOp, wrapTensor } from './op.js';
import type { Attributes } from './op.js';
import type { NestedArray } from './values.js';

export interface TensorOptions {
  dtype?: DType;
  requiresGrad?: boolean;
}
export interface RandomOptions extends TensorOptions {
  /** The same seed gives the same numbers, on every machine. */
  seed?: number;
}

let nextSeed: number | null = null;

/** Makes what rand() and randn() give without a seed repeatable. */
export function manualSeed(seed: number): void {
  nextSeed = seed;
}
function takeSeed(): number {
  if (nextSeed === null) return Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
  return nextSeed++;
}

export function make(name: string, attributes: Attributes, options: TensorOptions): Tensor {
  const dtype = options.dtype ? shortName(options.dtype) : undefined;
  const tensor = runOp(currentEngine(), name, [], { ...attributes, dtype });
  if (options.requiresGrad) tensor.requiresGrad = true;
  return tensor;
}

export function makeRandom(name: 'rand' | 'randn', shape: readonly number[], { seed, ...options }: RandomOptions): Tensor {
  return make(name, { shape, seed: seed ?? takeSeed() }, options);
}

export function fromValues(values: NestedArray | TypedArray, shape?: readonly number[], dtype?: DType): Tensor {
  const engine = currentEngine();
  return ArrayBuffer.isView(values)
    ? fromTyped(engine, values as TypedArray, shape, dtype)
    : fromNested(engine, values as NestedArray, shape, dtype);
}

function create(engine: Engine, dtype: DType, shape: readonly number[], bytes: Uint8Array): Tensor {
  return engine.withArguments((a) => {
    const at = a.space(Math.max(8, bytes.length));
    engine.bytes.set(bytes, at);
    const sizes = a.int64s(shape);
    return wrapTensor(engine, engine.make('tf_tensor_create', dtypeNumber(dtype), sizes, shape.length, at, bytes.length));
  });
}

function fromTyped(engine: Engine, array: TypedArray, shape?: readonly number[], dtype?: DType): Tensor {
  const own = dtypeOfArray(array);
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  const tensor = create(engine, own, shape ?? [array.length], bytes);
  return dtype === undefined || dtype === own ? tensor : convert(tensor, dtype);
}

function convert(tensor: Tensor, dtype: DType): Tensor {
  const out = tensor.to(dtype);
  tensor.dispose();
  return out;
}

function fromNested(engine: Engine, values: NestedArray, shape?: readonly number[], dtype?: DType): Tensor {
  const sizes: number[] = [];
  for (let level: unknown = values; Array.isArray(level); level = level[0]) sizes.push(level.length);
  const flat: (number | boolean | bigint)[] = [];
  const walk = (value: unknown, depth: number): void => {
    if (Array.isArray(value)) {
      if (value.length !== sizes[depth])
        throw new TrustformersError('shape_mismatch', `[tensor] arrays of ${String(sizes[depth])} and of ${value.length} elements lie side by side`);
      for (const item of value) walk(item, depth + 1);
      return;
    }
    if (depth !== sizes.length)
      throw new TrustformersError('shape_mismatch', '[tensor] numbers and arrays lie side by side');
    if (typeof value !== 'number' && typeof value !== 'boolean' && typeof value !== 'bigint')
      throw new TrustformersError('invalid_argument', `[tensor] expected numbers, booleans or bigints, got ${typeof value}`);
    flat.push(value);
  };
  walk(values, 0);
  const kind = typeof flat[0];
  const wanted = dtype ?? (kind === 'boolean' ? 'bool' : kind === 'bigint' ? 'int64' : 'float32');
  const out = shape ?? sizes;
  if (wanted === 'int64')
    return create(engine, 'int64', out, bytesOf(BigInt64Array.from(flat, (v) => (typeof v === 'number' ? BigInt(Math.trunc(v)) : BigInt(v)))));
  if (wanted === 'bool') return create(engine, 'bool', out, Uint8Array.from(flat, (v) => (v ? 1 : 0)));
  if (wanted === 'float32') return create(engine, 'float32', out, bytesOf(Float32Array.from(flat, Number)));
  // Through f64, which holds every number exactly: the engine rounds once.
  const tensor = create(engine, 'float64', out, bytesOf(Float64Array.from(flat, Number)));
  return wanted === 'float64' ? tensor : convert(tensor, wanted);
}

function bytesOf(array: TypedArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
