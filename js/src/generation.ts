// Tokens one step at a time.
import { Resource } from './lifetime.js';
import { throwIfAborted } from './options.js';
import type { Engine } from './runtime/engine.js';
import { wrapTensor } from './tensor/op.js';
import type { Tensor } from './tensor.js';
import type { PreTrainedTokenizer } from './tokenizer.js';

/** Those of generation_config.json, in either spelling; a name that is not known is an error. */
export interface GenerateOptions {
  maxNewTokens?: number;
  maxLength?: number;
  minNewTokens?: number;
  minLength?: number;
  doSample?: boolean;
  temperature?: number;
  topK?: number;
  topP?: number;
  minP?: number;
  typicalP?: number;
  repetitionPenalty?: number;
  noRepeatNgramSize?: number;
  numBeams?: number;
  numReturnSequences?: number;
  lengthPenalty?: number;
  earlyStopping?: boolean | 'never';
  eosTokenId?: number | readonly number[] | null;
  padTokenId?: number;
  seed?: number;
  /** The model's own, for what speaks of text: stopStrings, jsonSchema, grammar, regex, choices, json. */
  tokenizer?: PreTrainedTokenizer;
  [name: string]: unknown;
}

export interface GenerationStats {
  promptTokens: number;
  /** Of them, those that a session had read before. */
  reusedTokens: number;
  newTokens: number;
  prefillSeconds: number;
  decodeSeconds: number;
}

export class Generation extends Resource {
  /** Only for this package: use PreTrainedModel.startGeneration(). */
  constructor(engine: Engine, address: number) {
    super(engine, address, 'tf_generation_free', 'generation');
  }

  /** The next token of each row, or null at the end. */
  step(signal?: AbortSignal): number[] | null {
    if (signal?.aborted) {
      this.stop();
      throwIfAborted(signal, 'generate');
    }
    const { engine } = this;
    engine.call('tf_generation_step', this.handle, 0, 0);
    return engine.withArguments((a) => {
      const out = a.space(16);
      engine.view.setUint32(out, 16, true);
      engine.call('tf_generation_last', this.handle, out);
      const { view } = engine;
      if (view.getInt32(out + 4, true) !== 0) return null;
      const at = view.getUint32(out + 8, true);
      return Array.from({ length: view.getUint32(out + 12, true) }, (_, i) => Number(view.getBigInt64(at + 8 * i, true)));
    });
  }
  /** No more steps; what was read stays in the session. */
  stop(): void {
    this.engine.call('tf_generation_stop', this.handle);
  }
  sequences(): Tensor {
    return wrapTensor(this.engine, this.engine.make('tf_generation_sequences', this.handle));
  }
  stats(): GenerationStats {
    const { engine } = this;
    return engine.withArguments((a) => {
      const at = a.space(48);
      engine.view.setUint32(at, 48, true);
      engine.call('tf_generation_get_stats', this.handle, at);
      const { view } = engine;
      const whole = (offset: number) => Number(view.getBigInt64(at + offset, true));
      return {
        promptTokens: whole(8),
        reusedTokens: whole(16),
        newTokens: whole(24),
        prefillSeconds: view.getFloat64(at + 32, true),
        decodeSeconds: view.getFloat64(at + 40, true),
      };
    });
  }
}
