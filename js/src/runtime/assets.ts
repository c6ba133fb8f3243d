// The files beside this one. Each is written out, so that bundlers see it and copy it.

export type ModuleVariant = 'simd' | 'relaxed';

/** Vite's development server moves packages into a folder of its own, without the files beside them. */
function found(url: URL, name: string): URL {
  return /\/\.vite\/deps\//.test(url.href) ? new URL(`../../trustformers-js/dist/${name}`, url.href.replace(/[^/]*$/, '')) : url;
}

export function moduleUrl(variant: ModuleVariant): URL {
  return variant === 'simd'
    ? found(new URL('./trustformers-simd.wasm', import.meta.url), 'trustformers-simd.wasm')
    : found(new URL('./trustformers-relaxed.wasm', import.meta.url), 'trustformers-relaxed.wasm');
}

/** Set by scripts/build.mjs. */
declare const THREADS_BUILT: boolean;

/** The module with threads, and the JS that Emscripten made for it; null in a package without them. */
export function threadedUrls(variant: ModuleVariant): { wasm: URL; glue: URL } | null {
  if (!THREADS_BUILT) return null;
  return variant === 'simd'
    ? {
        wasm: found(new URL('./trustformers-simd-threads.wasm', import.meta.url), 'trustformers-simd-threads.wasm'),
        glue: found(new URL('./trustformers-simd-threads.mjs', import.meta.url), 'trustformers-simd-threads.mjs'),
      }
    : {
        wasm: found(new URL('./trustformers-relaxed-threads.wasm', import.meta.url), 'trustformers-relaxed-threads.wasm'),
        glue: found(new URL('./trustformers-relaxed-threads.mjs', import.meta.url), 'trustformers-relaxed-threads.mjs'),
      };
}
