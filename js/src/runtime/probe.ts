// What this machine's WebAssembly can do, found out by asking it: version numbers of browsers say too little.

/** Why a feature is off, for `env.report()`; an empty text means that it is on. */
export interface Features {
  simd: string;
  relaxedSimd: string;
  threads: string;
}

const head = [0, 97, 115, 109, 1, 0, 0, 0];
/** One function without arguments that gives a v128. */
const v128Function = [1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0];
// i8x16.popcnt(i8x16.splat(0))
const simdModule = [...head, ...v128Function, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];
// i8x16.relaxed_swizzle(i8x16.splat(1), i8x16.splat(2))
const relaxedModule = [...head, ...v128Function, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11];

function valid(bytes: readonly number[]): boolean {
  try {
    return WebAssembly.validate(new Uint8Array(bytes));
  } catch {
    return false;
  }
}

export function probe(): Features {
  if (typeof WebAssembly !== 'object') {
    const absent = 'this runtime has no WebAssembly';
    return { simd: absent, relaxedSimd: absent, threads: absent };
  }
  return {
    simd: valid(simdModule) ? '' : 'this runtime has no WebAssembly SIMD',
    relaxedSimd: valid(relaxedModule) ? '' : 'this runtime has no relaxed SIMD',
    threads: threadsObstacle(),
  };
}

function threadsObstacle(): string {
  if (typeof SharedArrayBuffer === 'undefined')
    return 'no SharedArrayBuffer: the page is not cross-origin isolated (it needs the headers COOP and COEP)';
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated;
  if (isolated === false) return 'the page is not cross-origin isolated (it needs the headers COOP and COEP)';
  return '';
}
