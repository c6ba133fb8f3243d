// Tensor against PyTorch: one row of tensor_cases.json (written by make_tensor_cases.py); the same in Node and in pages.
const special = { NaN: NaN, Infinity: Infinity, '-Infinity': -Infinity };
const numbers = (values) => values.map((v) => (typeof v === 'string' ? special[v] : v));

// Half floats and whole numbers are exact; transcendental functions and sums may differ in the last digits.
const tolerance = { float32: 1e-6, float64: 1e-13, float16: 0, bfloat16: 0 };

/** What is wrong with a tensor, or an empty text. */
function difference(actual, expected, scale = 1) {
  if (String(actual.shape()) !== String(expected.s)) return `shape [${actual.shape()}], expected [${expected.s}]`;
  if (actual.dtype !== expected.d) return `dtype ${actual.dtype}, expected ${expected.d}`;
  const got = Array.from(actual.data(), Number);
  const want = numbers(expected.v);
  const allowed = (tolerance[expected.d] ?? 0) * scale;
  const bad = want.findIndex((w, i) => {
    const g = got[i];
    if (Number.isNaN(w) || Number.isNaN(g)) return Number.isNaN(w) !== Number.isNaN(g);
    return g !== w && !(Math.abs(g - w) <= allowed * Math.max(1, Math.abs(w)));
  });
  return bad < 0 ? '' : `element ${bad} is ${got[bad]}, expected ${want[bad]}`;
}

export function nameOf(row, number) {
  return `${number} ${row.call} ${row.in.map((t) => `${t.d}[${t.s}]`).join(' ')} ${JSON.stringify(row.args)}`;
}

/** Runs a row and gives what is wrong, or an empty text. */
export function runTensorCase({ Tensor, tidy }, row) {
  const make = ({ d, s, v }, requiresGrad = false) => {
    const values = numbers(v);
    const out = Tensor.fromArray(d === 'bool' ? values.map(Boolean) : values, { dtype: d, shape: s });
    if (requiresGrad && d.startsWith('float')) out.requiresGrad = true;
    return out;
  };
  return tidy(() => {
    const inputs = row.in.map((t) => make(t, Boolean(row.grads)));
    const args = row.args.map((a) => (a?.ts ? a.ts.map((i) => inputs[i]) : a?.t !== undefined ? inputs[a.t] : a));
    const out = row.call.startsWith('Tensor.') ? Tensor[row.call.slice(7)](...args) : inputs[0][row.call](...args);
    const outs = [out].flat();
    if (outs.length !== row.out.length) return `${outs.length} outputs, expected ${row.out.length}`;
    const wrong = outs.map((o, i) => difference(o, row.out[i])).find((text) => text !== '');
    if (wrong) return wrong;
    if (!row.grads) return '';
    outs[0].backward(make(row.seed));
    for (const [i, grad] of row.grads.entries()) {
      if (!grad) continue;
      const got = inputs[i].grad;
      // Where no gradient flows (floor, sign) PyTorch gives zeros, and the engine none.
      const text = got === null ? (numbers(grad.v).every((v) => v === 0) ? '' : 'there is none') : difference(got, grad, 4);
      if (text !== '') return `gradient ${i}: ${text}`;
    }
    return '';
  });
}
