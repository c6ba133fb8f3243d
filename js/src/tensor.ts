/** Tensors with PyTorch's semantics and gradients. */
import { dtypeName, dtypeNumber, dtypeOfArray, makeArray, shortName } from './dtype.js';
import type { DType, TypedArray } from './dtype.js';
import { TrustformersError } from './errors.js';
import { Resource, track } from './lifetime.js';
import type { Engine } from './runtime/engine.js';
import { currentEngine } from './runtime/load.js';

export type { DType, TypedArray } from './dtype.js';
export { keep, tidy } from './lifetime.js';

/** Numbers, booleans or bigints in arrays of one length per level. */
export type NestedArray<T = number | boolean | bigint> = T | readonly NestedArray<T>[];
export type TensorLike = Tensor | number;
export interface TensorOptions {
  dtype?: DType;
  requiresGrad?: boolean;
}
export interface RandomOptions extends TensorOptions {
  /** The same seed gives the same numbers, on every machine. */
  seed?: number;
}
export type Dims = number | readonly number[] | null;

interface Info {
  dtype: DType;
  shape: readonly number[];
  elements: number;
  bytes: number;
}

const infoBytes = 104;
let nextSeed: number | null = null;

/** Makes what rand() and randn() give without a seed repeatable. */
export function manualSeed(seed: number): void {
  nextSeed = seed;
}
function takeSeed(): number {
  if (nextSeed === null) return Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
  return nextSeed++;
}

type Attributes = Record<string, unknown>;

function runOp(engine: Engine, name: string, inputs: readonly (Tensor | null)[], attributes?: Attributes): Tensor {
  const addresses = inputs.map((input) => (input ? input.handle : 0));
  return engine.withArguments((a) =>
    wrap(engine, engine.make('tf_op', engine.name(name), a.addresses(addresses), addresses.length, a.options(attributes))),
  );
}

function wrap(engine: Engine, address: number): Tensor {
  return track(new Tensor(engine, address));
}

/** Takes over a tensor of the engine's; for the files of this package. */
export function wrapTensor(engine: Engine, address: number): Tensor {
  return wrap(engine, address);
}

function dimsOf(dims: Dims | undefined): readonly number[] | undefined {
  return dims === undefined || dims === null ? undefined : typeof dims === 'number' ? [dims] : dims;
}

function listOf(first: number | readonly number[], rest: readonly number[]): readonly number[] {
  return typeof first === 'number' ? [first, ...rest] : first;
}

/** A tensor of the engine's. It holds memory until dispose(), the end of a tidy(), or the garbage collector. */
export class Tensor extends Resource {
  #info: Info | null = null;

  /** Only for this package: use Tensor.fromArray and the like. */
  constructor(engine: Engine, address: number) {
    super(engine, address, 'tf_tensor_free', 'tensor');
  }

  // ---- Making tensors

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
    const { seed, ...rest } = options;
    return make('rand', { shape, seed: seed ?? takeSeed() }, rest);
  }
  /** Standard normal. */
  static randn(shape: readonly number[], options: RandomOptions = {}): Tensor {
    const { seed, ...rest } = options;
    return make('randn', { shape, seed: seed ?? takeSeed() }, rest);
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
    const engine = currentEngine();
    const tensor = ArrayBuffer.isView(values)
      ? fromTyped(engine, values as TypedArray, shape, dtype)
      : fromNested(engine, values as NestedArray, shape, dtype);
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

  // ---- What it is

  shape(): number[] {
    return [...this.info().shape];
  }
  get dtype(): DType {
    return this.info().dtype;
  }
  get ndim(): number {
    return this.info().shape.length;
  }
  get size(): number {
    return this.info().elements;
  }
  /** Bytes of the elements in row-major order. */
  get nbytes(): number {
    return this.info().bytes;
  }
  private info(): Info {
    if (this.#info && !this.disposed) return this.#info;
    const engine = this.engine;
    this.#info = engine.withArguments((a) => {
      const at = a.space(infoBytes);
      engine.view.setUint32(at, infoBytes, true);
      engine.call('tf_tensor_get_info', this.handle, at);
      const view = engine.view;
      const rank = view.getInt32(at + 8, true);
      return {
        dtype: dtypeName(view.getInt32(at + 4, true)),
        shape: Array.from({ length: rank }, (_, i) => Number(view.getBigInt64(at + 40 + i * 8, true))),
        elements: Number(view.getBigInt64(at + 24, true)),
        bytes: Number(view.getBigInt64(at + 32, true)),
      };
    });
    return this.#info;
  }

  /** A copy of the elements in row-major order. Half floats come as Float32Array, bool as Uint8Array of 0 and 1. */
  data(): TypedArray {
    const { dtype, bytes } = this.info();
    if (dtype === 'float16' || dtype === 'bfloat16') {
      const wide = runOp(this.engine, 'cast', [this], { dtype: 'f32' });
      try {
        return wide.data();
      } finally {
        wide.dispose();
      }
    }
    const engine = this.engine;
    return engine.withArguments((a) => {
      const at = a.space(Math.max(8, bytes));
      engine.call('tf_tensor_copy', this.handle, at, bytes);
      const copy = new ArrayBuffer(bytes);
      new Uint8Array(copy).set(engine.bytes.subarray(at, at + bytes));
      return makeArray(dtype, copy);
    });
  }
  /** The same where the device may have to be waited for. */
  async read(): Promise<TypedArray> {
    return this.data();
  }
  /** Nested arrays of numbers; booleans for bool, and bigints for int64 beyond what a number can hold. */
  toArray(): NestedArray {
    const { dtype, shape } = this.info();
    const data = this.data();
    const plain = (value: number | bigint): number | boolean | bigint =>
      dtype === 'bool' ? value !== 0 : typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
    let at = 0;
    const level = (depth: number): NestedArray =>
      depth === shape.length ? plain(data[at++]!) : Array.from({ length: shape[depth]! }, () => level(depth + 1));
    return level(0);
  }
  /** The only element. */
  item(): number {
    if (this.size !== 1)
      throw new TrustformersError('shape_mismatch', `[item] expected one element, got ${describe(this)}`);
    return Number(this.data()[0]);
  }
  override toString(): string {
    return this.disposed ? 'Tensor(disposed)' : `Tensor(${this.dtype} [${this.shape().join(', ')}])`;
  }

  // ---- Arithmetic; numbers broadcast

  add(other: TensorLike): Tensor {
    return this.#binary('add', other);
  }
  sub(other: TensorLike): Tensor {
    return this.#binary('sub', other);
  }
  mul(other: TensorLike): Tensor {
    return this.#binary('mul', other);
  }
  div(other: TensorLike): Tensor {
    return this.#binary('div', other);
  }
  /** With the sign of the divisor, as in Python. */
  remainder(other: TensorLike): Tensor {
    return this.#binary('remainder', other);
  }
  maximum(other: TensorLike): Tensor {
    return this.#binary('maximum', other);
  }
  minimum(other: TensorLike): Tensor {
    return this.#binary('minimum', other);
  }
  pow(exponent: number): Tensor {
    return this.#op('pow', { exponent });
  }
  matmul(other: Tensor): Tensor {
    return runOp(this.engine, 'matmul', [this, other]);
  }

  // ---- Comparison: bool tensors

  eq(other: TensorLike): Tensor {
    return this.#binary('equal', other);
  }
  ne(other: TensorLike): Tensor {
    return this.#binary('not_equal', other);
  }
  lt(other: TensorLike): Tensor {
    return this.#binary('less', other);
  }
  le(other: TensorLike): Tensor {
    return this.#binary('less_equal', other);
  }
  gt(other: TensorLike): Tensor {
    return this.#binary('greater', other);
  }
  ge(other: TensorLike): Tensor {
    return this.#binary('greater_equal', other);
  }
  logicalAnd(other: Tensor): Tensor {
    return runOp(this.engine, 'logical_and', [this, other]);
  }
  logicalOr(other: Tensor): Tensor {
    return runOp(this.engine, 'logical_or', [this, other]);
  }
  logicalNot(): Tensor {
    return this.#op('logical_not');
  }
  isNaN(): Tensor {
    return this.#op('is_nan');
  }
  /** Where `mask` is true, `value` instead. */
  maskedFill(mask: Tensor, value: number): Tensor {
    return runOp(this.engine, 'masked_fill', [this, mask], { value });
  }

  // ---- Element by element

  neg(): Tensor {
    return this.#op('neg');
  }
  abs(): Tensor {
    return this.#op('abs');
  }
  sign(): Tensor {
    return this.#op('sign');
  }
  exp(): Tensor {
    return this.#op('exp');
  }
  log(): Tensor {
    return this.#op('log');
  }
  sqrt(): Tensor {
    return this.#op('sqrt');
  }
  rsqrt(): Tensor {
    return this.#op('rsqrt');
  }
  sin(): Tensor {
    return this.#op('sin');
  }
  cos(): Tensor {
    return this.#op('cos');
  }
  tanh(): Tensor {
    return this.#op('tanh');
  }
  sigmoid(): Tensor {
    return this.#op('sigmoid');
  }
  erf(): Tensor {
    return this.#op('erf');
  }
  floor(): Tensor {
    return this.#op('floor');
  }
  ceil(): Tensor {
    return this.#op('ceil');
  }
  /** Halves to the even neighbour, as in PyTorch. */
  round(): Tensor {
    return this.#op('round');
  }
  relu(): Tensor {
    return this.#op('relu');
  }
  gelu(approximate: 'none' | 'tanh' = 'none'): Tensor {
    return this.#op('gelu', { approximate });
  }
  silu(): Tensor {
    return this.#op('silu');
  }
  softplus(): Tensor {
    return this.#op('softplus');
  }
  square(): Tensor {
    return this.mul(this);
  }
  reciprocal(): Tensor {
    return runOp(this.engine, 'div', [this], { scalar: 1, reverse: true });
  }
  clamp(min?: number | null, max?: number | null): Tensor {
    return this.#op('clamp', { min: min ?? undefined, max: max ?? undefined });
  }
  to(dtype: DType): Tensor {
    return this.#op('cast', { dtype: shortName(dtype) });
  }

  // ---- Reductions: over all dimensions, one, or several

  sum(dim?: Dims, keepdim = false): Tensor {
    return this.#reduce('sum', dim, keepdim);
  }
  mean(dim?: Dims, keepdim = false): Tensor {
    return this.#reduce('mean', dim, keepdim);
  }
  /** The values alone; argmax() tells where. */
  max(dim?: Dims, keepdim = false): Tensor {
    return this.#reduce('max', dim, keepdim);
  }
  min(dim?: Dims, keepdim = false): Tensor {
    return this.#reduce('min', dim, keepdim);
  }
  var(dim?: Dims, keepdim = false, correction = 1): Tensor {
    return this.#op('var', { dims: dimsOf(dim), keepdim, correction });
  }
  std(dim?: Dims, keepdim = false, correction = 1): Tensor {
    return this.#op('std', { dims: dimsOf(dim), keepdim, correction });
  }
  norm(dim?: Dims, keepdim = false): Tensor {
    return this.#reduce('norm', dim, keepdim);
  }
  logsumexp(dim: Dims, keepdim = false): Tensor {
    return this.#reduce('logsumexp', dim, keepdim);
  }
  all(dim?: Dims, keepdim = false): Tensor {
    return this.#reduce('all', dim, keepdim);
  }
  any(dim?: Dims, keepdim = false): Tensor {
    return this.#reduce('any', dim, keepdim);
  }
  /** The first index of the largest element; without `dim`, of the flattened tensor. */
  argmax(dim?: number | null, keepdim = false): Tensor {
    return this.#op('argmax', { dim: dim ?? undefined, keepdim });
  }
  argmin(dim?: number | null, keepdim = false): Tensor {
    return this.#op('argmin', { dim: dim ?? undefined, keepdim });
  }
  cumsum(dim: number): Tensor {
    return this.#op('cumsum', { dim });
  }
  softmax(dim = -1): Tensor {
    return this.#op('softmax', { dim });
  }
  logSoftmax(dim = -1): Tensor {
    return this.#op('log_softmax', { dim });
  }
  layerNorm(weight: Tensor | null = null, bias: Tensor | null = null, eps = 1e-5): Tensor {
    return runOp(this.engine, 'layer_norm', [this, weight, bias], { eps });
  }
  rmsNorm(weight: Tensor | null = null, eps = 1e-6): Tensor {
    return runOp(this.engine, 'rms_norm', [this, weight], { eps });
  }

  // ---- Shape

  /** One size may be -1. A view where the elements allow it, else a copy. */
  reshape(first: number | readonly number[], ...rest: number[]): Tensor {
    return this.#op('reshape', { shape: listOf(first, rest) });
  }
  view(first: number | readonly number[], ...rest: number[]): Tensor {
    return this.reshape(first, ...rest);
  }
  flatten(start = 0, end = -1): Tensor {
    const shape = this.shape();
    if (shape.length === 0) return this.reshape([1]);
    const [from, to] = [start, end].map((d) => (d < 0 ? d + shape.length : d)) as [number, number];
    if (from < 0 || to >= shape.length || from > to)
      throw new TrustformersError('out_of_range', `[flatten] dimensions ${start} to ${end} of ${describe(this)}`);
    const joined = shape.slice(from, to + 1).reduce((a, b) => a * b, 1);
    return this.reshape([...shape.slice(0, from), joined, ...shape.slice(to + 1)]);
  }
  permute(first: number | readonly number[], ...rest: number[]): Tensor {
    return this.#op('permute', { dims: listOf(first, rest) });
  }
  transpose(dim0: number, dim1: number): Tensor {
    return this.#op('transpose', { dim0, dim1 });
  }
  /** Of a matrix. */
  t(): Tensor {
    return this.ndim < 2 ? this.contiguous() : this.transpose(0, 1);
  }
  /** Without `dim` all sizes of 1 go. */
  squeeze(dim?: number): Tensor {
    return this.#op('squeeze', { dim });
  }
  unsqueeze(dim: number): Tensor {
    return this.#op('unsqueeze', { dim });
  }
  expand(first: number | readonly number[], ...rest: number[]): Tensor {
    return this.#op('expand', { shape: listOf(first, rest) });
  }
  repeat(first: number | readonly number[], ...rest: number[]): Tensor {
    return this.#op('repeat', { repeats: listOf(first, rest) });
  }
  /** Elements start, start + step, … below end along `dim`; negative ones count from the end. */
  slice(dim: number, start = 0, end: number | null = null, step = 1): Tensor {
    return this.#op('slice', { dim, start, end: end ?? undefined, step });
  }
  select(dim: number, index: number): Tensor {
    return this.#op('select', { dim, index });
  }
  /** Pieces of `size` elements (the last may be smaller), or of the sizes listed. */
  split(size: number | readonly number[], dim = 0): Tensor[] {
    const shape = this.shape();
    const total = shape[dim < 0 ? dim + shape.length : dim];
    if (total === undefined)
      throw new TrustformersError('out_of_range', `[split] dimension ${dim} of ${describe(this)}`);
    if (typeof size === 'number' && size < 1)
      throw new TrustformersError('invalid_argument', `[split] the size must be at least 1, got ${size}`);
    const sizes =
      typeof size === 'number'
        ? Array.from({ length: Math.max(1, Math.ceil(total / size)) }, (_, i) => Math.min(size, total - i * size))
        : size;
    if (sizes.reduce((a, b) => a + b, 0) !== total)
      throw new TrustformersError('shape_mismatch', `[split] sizes ${sizes.join(', ')} for dimension ${dim} of ${describe(this)}`);
    let at = 0;
    return sizes.map((length) => this.slice(dim, at, (at += length)));
  }
  chunk(chunks: number, dim = 0): Tensor[] {
    const shape = this.shape();
    const total = shape[dim < 0 ? dim + shape.length : dim] ?? 0;
    if (chunks < 1) throw new TrustformersError('invalid_argument', `[chunk] expected at least 1, got ${chunks}`);
    return this.split(Math.max(1, Math.ceil(total / chunks)), dim);
  }
  gather(dim: number, index: Tensor): Tensor {
    return runOp(this.engine, 'gather', [this, index], { dim });
  }
  indexSelect(dim: number, index: Tensor): Tensor {
    return runOp(this.engine, 'index_select', [this, index], { dim });
  }
  scatterAdd(dim: number, index: Tensor, source: Tensor): Tensor {
    return runOp(this.engine, 'scatter_add', [this, index, source], { dim });
  }
  flip(dim: number): Tensor {
    return this.#op('flip', { dim });
  }
  /** Zeros around a dimension. */
  pad(dim: number, before: number, after: number): Tensor {
    return this.#op('pad', { dim, before, after });
  }
  tril(diagonal = 0): Tensor {
    return this.#op('tril', { diagonal });
  }
  triu(diagonal = 0): Tensor {
    return this.#op('triu', { diagonal });
  }
  contiguous(): Tensor {
    return this.#op('contiguous');
  }

  // ---- Gradients

  get requiresGrad(): boolean {
    const engine = this.engine;
    return engine.withArguments((a) => {
      const at = a.space(infoBytes);
      engine.view.setUint32(at, infoBytes, true);
      engine.call('tf_tensor_get_info', this.handle, at);
      return engine.view.getInt32(at + 12, true) !== 0;
    });
  }
  set requiresGrad(value: boolean) {
    this.engine.call('tf_tensor_set_requires_grad', this.handle, value ? 1 : 0);
  }
  /** Adds d(this)/d(leaf) to the gradient of every leaf that requires one. `seed` is 1 for a scalar. */
  backward(seed?: Tensor): void {
    this.engine.call('tf_tensor_backward', this.handle, seed ? seed.handle : 0);
  }
  /** What backward() has added up, or null. */
  get grad(): Tensor | null {
    const address = this.engine.make('tf_tensor_grad', this.handle);
    return address === 0 ? null : wrap(this.engine, address);
  }
  zeroGrad(): void {
    this.engine.call('tf_tensor_clear_grad', this.handle);
  }
  /** The same elements without history. */
  detach(): Tensor {
    return wrap(this.engine, this.engine.make('tf_tensor_detach', this.handle));
  }

  #op(name: string, attributes?: Attributes): Tensor {
    return runOp(this.engine, name, [this], attributes);
  }
  #binary(name: string, other: TensorLike): Tensor {
    if (other instanceof Tensor) return runOp(this.engine, name, [this, other]);
    if (typeof other !== 'number')
      throw new TrustformersError('invalid_argument', `[${name}] expected a tensor or a number, got ${typeof other}`);
    return runOp(this.engine, name, [this], { scalar: other });
  }
  #reduce(name: string, dim: Dims | undefined, keepdim: boolean): Tensor {
    return this.#op(name, { dims: dimsOf(dim), keepdim });
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

function describe(tensor: Tensor): string {
  return `${tensor.dtype} [${tensor.shape().join(', ')}]`;
}

function engineOf(tensors: readonly Tensor[], op: string): Engine {
  const first = tensors[0];
  if (!first) throw new TrustformersError('invalid_argument', `[${op}] expected at least one tensor`);
  return first.engine;
}

function make(name: string, attributes: Attributes, options: TensorOptions): Tensor {
  const dtype = options.dtype ? shortName(options.dtype) : undefined;
  const tensor = runOp(currentEngine(), name, [], { ...attributes, dtype });
  if (options.requiresGrad) tensor.requiresGrad = true;
  return tensor;
}

function create(engine: Engine, dtype: DType, shape: readonly number[], bytes: Uint8Array): Tensor {
  return engine.withArguments((a) => {
    const at = a.space(Math.max(8, bytes.length));
    engine.bytes.set(bytes, at);
    const sizes = a.int64s(shape);
    return wrap(engine, engine.make('tf_tensor_create', dtypeNumber(dtype), sizes, shape.length, at, bytes.length));
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
