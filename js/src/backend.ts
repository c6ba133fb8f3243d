/** Where ops run. */
import { TrustformersError } from './errors.js';

/** "wasm" (also called "cpu" and "auto"): this processor. "webgpu": its ops have kernels on the GPU or are refused. */
export type Backend = 'wasm' | 'webgpu';

let backend: Backend = 'wasm';

interface Gpu {
  requestAdapter(): Promise<object | null>;
}
function gpu(): Gpu | undefined {
  return (globalThis as { navigator?: { gpu?: Gpu } }).navigator?.gpu;
}

export function currentBackend(): Backend {
  return backend;
}

/** Why nothing runs on the GPU here, or an empty text. */
export function webgpuObstacle(): string {
  return gpu() ? 'the modules of this version hold no GPU kernels' : 'this runtime has no WebGPU';
}

/**
 * Chooses where ops run from now on. On "webgpu" an op without a GPU kernel throws and names itself: nothing falls back
 * in silence. In this version that is every op, so that only Tensor.fromArray, reading and shapes go on working.
 */
export async function setBackend(name: Backend | 'cpu' | 'auto'): Promise<void> {
  if (!['wasm', 'cpu', 'auto', 'webgpu'].includes(name))
    throw new TrustformersError('invalid_argument', `[setBackend] there is no backend "${name}"; there are: wasm (cpu, auto), webgpu`);
  if (name !== 'webgpu') {
    backend = 'wasm';
    return;
  }
  const adapter = await gpu()?.requestAdapter();
  if (!adapter) throw new TrustformersError('unsupported', `[setBackend] ${gpu() ? 'WebGPU offers no adapter here' : 'this runtime has no WebGPU'}`);
  backend = 'webgpu';
}

/** Throws when the backend that was chosen has no kernel for an op or a model. */
export function requireKernel(what: string): void {
  if (backend === 'webgpu')
    throw new TrustformersError('unsupported', `[${what}] there is no GPU kernel for ${what}: setBackend('wasm') runs it on the processor`);
}
