// Reads small safetensors files for tests: name → {dtype, shape, data}.
const kinds = {
  F32: ['float32', Float32Array],
  F64: ['float64', Float64Array],
  I64: ['int64', BigInt64Array],
  I32: ['int32', Int32Array],
  U8: ['uint8', Uint8Array],
  BOOL: ['bool', Uint8Array],
};

export function readSafetensors(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const head = Number(view.getBigUint64(0, true));
  const entries = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + head)));
  const out = new Map();
  for (const [name, { dtype, shape, data_offsets: range }] of Object.entries(entries)) {
    if (name === '__metadata__') continue;
    if (!kinds[dtype]) throw new Error(`${name}: no reader for ${dtype}`);
    const [kind, Type] = kinds[dtype];
    out.set(name, { dtype: kind, shape, data: new Type(bytes.slice(8 + head + range[0], 8 + head + range[1]).buffer) });
  }
  return out;
}
