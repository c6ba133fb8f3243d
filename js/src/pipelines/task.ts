// What a pipeline computes, in whatever thread it runs.
import { TrustformersError } from '../errors.js';
import type { PreTrainedModel } from '../model.js';
import type { PreTrainedTokenizer } from '../tokenizer.js';

export interface TaskContext {
  signal?: AbortSignal | undefined;
  /** Takes new text and its tokens as they come. */
  emit?: ((text: string, tokens: readonly number[]) => void) | undefined;
}

/** Options come in Python's spelling. */
export interface TaskCall {
  (inputs: unknown, options: Record<string, unknown>, context: TaskContext): Promise<unknown>;
  /** Frees what the task holds beside its model. */
  dispose?: () => void;
}

export interface TaskParts {
  model: PreTrainedModel;
  tokenizer: PreTrainedTokenizer;
}

export function texts(inputs: unknown, task: string): string[] {
  const list = Array.isArray(inputs) ? (inputs as unknown[]) : [inputs];
  for (const text of list)
    if (typeof text !== 'string')
      throw new TrustformersError('invalid_argument', `[${task}] expected a text or texts, got ${text === null ? 'null' : typeof text}`);
  return list as string[];
}

/** The name of a class: id2label of config.json, else LABEL_3. */
export function labelOf(model: PreTrainedModel, id: number): string {
  const names = model.config['id2label'] as Record<string, string> | undefined;
  return names?.[id] ?? `LABEL_${id}`;
}

export function softmax(values: ArrayLike<number>): number[] {
  const list = Array.from(values);
  const high = list.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = list.map((v) => Math.exp(v - high));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
}

/** The positions of the k largest values, the largest first. */
export function largest(values: ArrayLike<number>, k: number): number[] {
  return Array.from(values, (_, i) => i)
    .sort((a, b) => values[b]! - values[a]!)
    .slice(0, k);
}

/** Inputs of a forward pass; token types only where a second text makes them matter. */
export function modelInputs(encoding: { input_ids: import('../tensor.js').Tensor; attention_mask: import('../tensor.js').Tensor; token_type_ids: import('../tensor.js').Tensor }) {
  const { input_ids, attention_mask, token_type_ids } = encoding;
  const typed = (token_type_ids.data() as BigInt64Array).some((type) => type !== 0n);
  return typed ? { input_ids, attention_mask, token_type_ids } : { input_ids, attention_mask };
}

/** Where code points begin in a text, for offsets that count them. */
export function codePointStarts(text: string): number[] {
  const starts: number[] = [];
  for (let at = 0; at < text.length; at += text.codePointAt(at)! > 0xffff ? 2 : 1) starts.push(at);
  starts.push(text.length);
  return starts;
}
