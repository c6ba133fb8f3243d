// Vectors for texts: one a token, or one a text.
import { TrustformersError } from '../errors.js';
import { tidy } from '../lifetime.js';
import { refuseRest, throwIfAborted } from '../options.js';
import type { Tensor } from '../tensor.js';
import type { TaskCall, TaskParts } from './task.js';

const poolings = ['none', 'mean', 'cls', 'last_token'];

export function featureExtraction({ model, tokenizer }: TaskParts): TaskCall {
  return async (inputs, options, { signal }) => {
    const list = texts(inputs);
    const { pooling = 'none', normalize = false, ...rest } = options;
    refuseRest(rest, 'feature-extraction');
    if (!poolings.includes(pooling as string))
      throw new TrustformersError('invalid_argument', `[feature-extraction] expected pooling to be one of ${poolings.join(', ')}, got ${String(pooling)}`);
    throwIfAborted(signal, 'feature-extraction');
    return tidy(() => {
      // Truncation only where the tokenizer names a length.
      const truncation = tokenizer.info.model_max_length !== null;
      const encoding = tokenizer(list, { padding: list.length > 1, truncation, paddingSide: 'right' });
      const { input_ids, attention_mask, token_type_ids } = encoding;
      // Token types only where a second text makes them matter.
      const typed = (token_type_ids.data() as BigInt64Array).some((type) => type !== 0n);
      const given = typed ? { input_ids, attention_mask, token_type_ids } : { input_ids, attention_mask };
      const { lastHiddenState, last_hidden_state, logits } = model.forwardSync(given);
      const states = (lastHiddenState ?? last_hidden_state ?? logits) as Tensor;
      const pooled = pool(states, encoding.attentionMask, pooling as string);
      return normalize ? pooled.div(pooled.norm(-1, true).clamp(1e-12)) : pooled;
    });
  };
}

function texts(inputs: unknown): string[] {
  const list = Array.isArray(inputs) ? (inputs as unknown[]) : [inputs];
  for (const text of list)
    if (typeof text !== 'string')
      throw new TrustformersError('invalid_argument', `[feature-extraction] expected a text or texts, got ${text === null ? 'null' : typeof text}`);
  return list as string[];
}

function pool(states: Tensor, mask: Tensor, pooling: string): Tensor {
  if (pooling === 'cls') return states.select(1, 0);
  if (pooling === 'none') return states;
  const seen = mask.to('float32').unsqueeze(-1);
  if (pooling === 'mean') return states.mul(seen).sum(1).div(seen.sum(1));
  const last = mask.sum(1).sub(1).to('int64').unsqueeze(-1).unsqueeze(-1);
  return states.gather(1, last.expand([states.shape()[0]!, 1, states.shape()[2]!])).squeeze(1);
}
