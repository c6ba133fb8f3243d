// Element types: PyTorch's names, and the typed arrays that hold them.
import { TrustformersError } from './errors.js';

export type DType = 'float32' | 'float16' | 'bfloat16' | 'float64' | 'int8' | 'uint8' | 'int32' | 'int64' | 'bool';
export type TypedArray = Float32Array | Float64Array | Int8Array | Uint8Array | Int32Array | BigInt64Array;

interface Row {
  name: DType;
  short: string;
  bytes: number;
}
// By the numbers of the C interface.
const rows: readonly Row[] = [
  { name: 'float32', short: 'f32', bytes: 4 },
  { name: 'float16', short: 'f16', bytes: 2 },
  { name: 'bfloat16', short: 'bf16', bytes: 2 },
  { name: 'float64', short: 'f64', bytes: 8 },
  { name: 'int8', short: 'i8', bytes: 1 },
  { name: 'uint8', short: 'u8', bytes: 1 },
  { name: 'int32', short: 'i32', bytes: 4 },
  { name: 'int64', short: 'i64', bytes: 8 },
  { name: 'bool', short: 'bool', bytes: 1 },
];

export function dtypeName(number: number): DType {
  const row = rows[number];
  if (!row) throw new TrustformersError('unsupported', `[dtype] dtype ${number} is a format of weights`);
  return row.name;
}

/** The number of a dtype by any of its names: "float32", "f32". */
export function dtypeNumber(name: string): number {
  const at = rows.findIndex((row) => row.name === name || row.short === name);
  if (at < 0)
    throw new TrustformersError(
      'invalid_argument',
      `[dtype] there is no dtype "${name}"; known are ${rows.map((row) => row.name).join(', ')}`,
    );
  return at;
}

/** What ops call it: "f32". */
export function shortName(name: string): string {
  return rows[dtypeNumber(name)]!.short;
}

const arrayTypes: Record<string, DType> = {
  Float32Array: 'float32',
  Float64Array: 'float64',
  Int8Array: 'int8',
  Uint8Array: 'uint8',
  Int32Array: 'int32',
  BigInt64Array: 'int64',
};
/** By name: arrays may come from another realm, where `instanceof` is of no use. */
export function dtypeOfArray(array: TypedArray): DType {
  const name = array[Symbol.toStringTag];
  const dtype = arrayTypes[name];
  if (!dtype) throw new TrustformersError('unsupported', `[tensor] there is no dtype for ${String(name)}`);
  return dtype;
}

/** An array for `count` elements; half floats have none. */
export function makeArray(dtype: DType, buffer: ArrayBuffer): TypedArray {
  switch (dtype) {
    case 'float32':
      return new Float32Array(buffer);
    case 'float64':
      return new Float64Array(buffer);
    case 'int8':
      return new Int8Array(buffer);
    case 'uint8':
    case 'bool':
      return new Uint8Array(buffer);
    case 'int32':
      return new Int32Array(buffer);
    case 'int64':
      return new BigInt64Array(buffer);
    default:
      throw new TrustformersError('internal', `[dtype] no typed array holds ${dtype}`);
  }
}
