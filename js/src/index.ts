/** trustformers-js: transformers in Node and in the browser. */
export { TrustformersError } from './errors.js';
export type { ErrorCode } from './errors.js';
export { init, init as default } from './runtime/load.js';
export type { InitOptions, Report } from './runtime/load.js';
export { keep, manualSeed, noGrad, Tensor, tidy } from './tensor.js';
export type { Dims, DType, NestedArray, RandomOptions, TensorLike, TensorOptions, TypedArray } from './tensor.js';
export { env } from './env.js';
