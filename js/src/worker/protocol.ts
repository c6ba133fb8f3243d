// What a pipeline and its thread say to each other.
import type { TrustformersError } from '../errors.js';
import type { ErrorCode } from '../errors.js';
import type { ProgressInfo } from '../options.js';
import type { Settings } from '../settings.js';
import type { TypedArray } from '../dtype.js';
import type { ModelSource } from '../sources.js';

export interface ErrorMessage {
  code: ErrorCode;
  message: string;
  context: readonly string[];
}

export type Ask =
  | {
      kind: 'load';
      id: number;
      task: string;
      source: ModelSource;
      options: Record<string, unknown>;
      deterministic: boolean;
      threads: number | undefined;
      progress: boolean;
      settings: Partial<Settings>;
    }
  | { kind: 'call'; id: number; inputs: unknown; options: Record<string, unknown>; emit: boolean }
  | { kind: 'cancel'; id: number };

export type Answer =
  | { kind: 'progress'; id: number; info: ProgressInfo }
  | { kind: 'emit'; id: number; text: string; tokens: readonly number[] }
  | { kind: 'done'; id: number; value: unknown }
  | { kind: 'failed'; id: number; error: ErrorMessage };

/** A tensor on its way. */
export interface SentTensor {
  trustformersTensor: true;
  dtype: string;
  shape: number[];
  data: TypedArray;
}

export function isSentTensor(value: unknown): value is SentTensor {
  return typeof value === 'object' && value !== null && (value as Partial<SentTensor>).trustformersTensor === true;
}

export function errorMessage(error: unknown): ErrorMessage {
  const { code, message, context } = error as Partial<TrustformersError>;
  return { code: code ?? 'internal', message: message ?? String(error), context: context ?? [] };
}
