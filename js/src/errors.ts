/** What kind of failure it is: the codes of the C interface, and some of JavaScript's own. */
export type ErrorCode =
  | 'invalid_argument'
  | 'shape_mismatch'
  | 'dtype_mismatch'
  | 'not_found'
  | 'io'
  | 'parse'
  | 'unsupported'
  | 'out_of_range'
  | 'out_of_memory'
  | 'cancelled'
  | 'numeric'
  | 'internal'
  /** The engine is not loaded yet, and cannot be loaded without waiting here: `await init()` first. */
  | 'not_initialized'
  /** The thread of a pipeline ended or threw: make the pipeline anew. */
  | 'worker_lost'
  /** A tensor, model or tokenizer was used after dispose(). */
  | 'disposed';

const byStatus: readonly ErrorCode[] = [
  'internal',
  'invalid_argument',
  'shape_mismatch',
  'dtype_mismatch',
  'not_found',
  'io',
  'parse',
  'unsupported',
  'out_of_range',
  'out_of_memory',
  'cancelled',
  'numeric',
  'internal',
];

/** The one error that this package throws. `message` reads `[where] what was expected, what came`. */
export class TrustformersError extends Error {
  override readonly name = 'TrustformersError';
  readonly code: ErrorCode;
  /** Where it happened, the innermost first: "while loading model.layers.3.mlp". */
  readonly context: readonly string[];

  constructor(code: ErrorCode, message: string, context: readonly string[] = [], options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.context = context;
  }
}

/** The code that a status of the C interface stands for. */
export function codeOfStatus(status: number): ErrorCode {
  return byStatus[status] ?? 'internal';
}
