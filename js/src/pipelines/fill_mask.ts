// What may stand in the place of a mask.
import { TrustformersError } from '../errors.js';
import { tidy } from '../lifetime.js';
import { refuseRest, throwIfAborted } from '../options.js';
import { largest, softmax, texts } from './task.js';
import { limited } from './classification.js';
import { modelInputs } from './task.js';
import type { TaskCall, TaskParts } from './task.js';

export interface FilledMask {
  score: number;
  token: number;
  token_str: string;
  sequence: string;
}

export function fillMask({ model, tokenizer }: TaskParts): TaskCall {
  return async (inputs, options, { signal }) => {
    const list = texts(inputs, 'fill-mask');
    const { top_k = 5, ...rest } = options;
    refuseRest(rest, 'fill-mask');
    const mask = tokenizer.info.special_tokens.mask;
    if (!mask) throw new TrustformersError('unsupported', '[fill-mask] the tokenizer has no mask token');
    const out = list.map((text) => {
      throwIfAborted(signal, 'fill-mask');
      const ids = tokenizer.encode(text, { truncation: limited(tokenizer) });
      const places = ids.flatMap((id, at) => (id === mask.id ? [at] : []));
      if (places.length === 0) throw new TrustformersError('invalid_argument', `[fill-mask] the text has no ${mask.token}`);
      const { data, size } = tidy(() => {
        const { logits } = model.forwardSync(modelInputs(tokenizer(text, { truncation: limited(tokenizer) })));
        return { data: logits!.data() as Float32Array, size: logits!.shape()[2]! };
      });
      const filled = places.map((at) => {
        const scores = softmax(data.subarray(at * size, (at + 1) * size));
        return largest(scores, top_k as number).map((token): FilledMask => {
          const sequence = ids.slice();
          sequence[at] = token;
          return { score: scores[token]!, token, token_str: tokenizer.decode([token]), sequence: tokenizer.decode(sequence, { skipSpecialTokens: places.length === 1 }) };
        });
      });
      return filled.length === 1 ? filled[0]! : filled;
    });
    return Array.isArray(inputs) ? out : out[0]!;
  };
}
