// What a tensor is: its type, shape, elements and gradient.
import { dtypeName, makeArray } from '../dtype.js';
import type { DType, TypedArray } from '../dtype.js';
import { TrustformersError } from '../errors.js';
import { Resource } from '../lifetime.js';
import type { Engine } from '../runtime/engine.js';
import type { Tensor } from '../tensor.js';
import { runOp, wrapTensor } from './op.js';

/** Numbers, booleans or bigints in arrays of one length per level. */
export type NestedArray<T = number | boolean | bigint> = T | readonly NestedArray<T>[];

interface Info {
  dtype: DType;
  shape: readonly number[];
  elements: number;
  bytes: number;
}

/** sizeof(tf_tensor_info) */
const infoBytes = 104;

export abstract class TensorValues extends Resource {
  #info: Info | null = null;

  constructor(engine: Engine, address: number) {
    super(engine, address, 'tf_tensor_free', 'tensor');
  }

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
      throw new TrustformersError('shape_mismatch', `[item] expected one element, got ${this.describe()}`);
    return Number(this.data()[0]);
  }
  override toString(): string {
    return this.disposed ? 'Tensor(disposed)' : `Tensor(${this.dtype} [${this.shape().join(', ')}])`;
  }
  /** For messages: "float32 [2, 3]". */
  protected describe(): string {
    return `${this.dtype} [${this.shape().join(', ')}]`;
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
    return address === 0 ? null : wrapTensor(this.engine, address);
  }
  zeroGrad(): void {
    this.engine.call('tf_tensor_clear_grad', this.handle);
  }
  /** The same elements without history. */
  detach(): Tensor {
    return wrapTensor(this.engine, this.engine.make('tf_tensor_detach', this.handle));
  }
}
