// What a pipeline computes, in whatever thread it runs.
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
