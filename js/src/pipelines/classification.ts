// Labels for texts, and for tokens.
import { TrustformersError } from '../errors.js';
import { tidy } from '../lifetime.js';
import { refuseRest, throwIfAborted } from '../options.js';
import { codePointStarts, labelOf, largest, modelInputs, softmax, texts } from './task.js';
import type { TaskCall, TaskParts } from './task.js';

export interface TextClassification {
  label: string;
  score: number;
}

export function textClassification({ model, tokenizer }: TaskParts): TaskCall {
  const known = ['none', 'sigmoid', 'softmax'];
  const usual = model.config['problem_type'] === 'multi_label_classification' ? 'sigmoid' : 'softmax';
  return async (inputs, options, { signal }) => {
    const list = texts(inputs, 'text-classification');
    const { top_k, function_to_apply, ...rest } = options;
    refuseRest(rest, 'text-classification');
    const out: TextClassification[][] = [];
    for (const text of list) {
      throwIfAborted(signal, 'text-classification');
      const logits = tidy(() => model.forwardSync(modelInputs(tokenizer(text, { truncation: limited(tokenizer) }))).logits!.data()) as Float32Array;
      const wanted = (function_to_apply as string | undefined) ?? (logits.length === 1 ? 'sigmoid' : usual);
      if (!known.includes(wanted))
        throw new TrustformersError('invalid_argument', `[text-classification] expected function_to_apply to be one of ${known.join(', ')}, got ${wanted}`);
      const scores = wanted === 'none' ? Array.from(logits) : wanted === 'sigmoid' ? Array.from(logits, (x) => 1 / (1 + Math.exp(-x))) : softmax(logits);
      const count = top_k === null ? scores.length : ((top_k as number | undefined) ?? 1);
      out.push(largest(scores, count).map((id) => ({ label: labelOf(model, id), score: scores[id]! })));
    }
    // One label a text makes a flat list; several make a list for each text.
    if (top_k === undefined || top_k === 1) return out.map((row) => row[0]!);
    return Array.isArray(inputs) ? out : out[0]!;
  };
}

/** Truncation only where the tokenizer names a length. */
export function limited(tokenizer: TaskParts['tokenizer']): boolean {
  return tokenizer.info.model_max_length !== null;
}

export interface TokenClassification {
  entity?: string;
  entity_group?: string;
  score: number;
  index?: number;
  word: string;
  start: number;
  end: number;
}

export function tokenClassification({ model, tokenizer }: TaskParts): TaskCall {
  return async (inputs, options, { signal }) => {
    const list = texts(inputs, 'token-classification');
    const { ignore_labels, aggregation_strategy, ...rest } = options;
    refuseRest(rest, 'token-classification');
    const ignored = (ignore_labels as string[] | undefined) ?? ['O'];
    const strategy = (aggregation_strategy as string | undefined) ?? 'none';
    if (!['none', 'simple'].includes(strategy))
      throw new TrustformersError('unsupported', `[token-classification] aggregation_strategy "${strategy}" is not supported; there are: none, simple`);
    const out = list.map((text) => {
      throwIfAborted(signal, 'token-classification');
      const [row] = tokenizer.encodeRows(text, { truncation: limited(tokenizer) });
      const { data, classes } = tidy(() => {
        const { logits } = model.forwardSync(modelInputs(tokenizer(text, { truncation: limited(tokenizer) })));
        return { data: logits!.data() as Float32Array, classes: logits!.shape()[2]! };
      });
      const starts = codePointStarts(text);
      const tokens = row!.ids.flatMap((id, index) => {
        if (row!.specialTokensMask[index] === 1) return [];
        const scores = softmax(data.subarray(index * classes, (index + 1) * classes));
        const best = largest(scores, 1)[0]!;
        const [start, end] = row!.offsets[index]!;
        return [{ entity: labelOf(model, best), scores, best, index, id, start: starts[start]!, end: starts[end]! }];
      });
      if (strategy === 'simple') return grouped(tokens, text).filter((group) => !ignored.includes(group.entity_group!));
      return tokens
        .filter((token) => !ignored.includes(token.entity))
        .map(
          ({ entity, scores, best, index, id, start, end }): TokenClassification => ({
            entity,
            score: scores[best]!,
            index,
            word: tokenizer.idToToken(id),
            start,
            end,
          }),
        );
    });
    return Array.isArray(inputs) ? out : out[0]!;
  };

  /** Neighbours of one entity become one; B- begins another. */
  function grouped(tokens: { entity: string; scores: number[]; best: number; id: number; start: number; end: number }[], text: string): TokenClassification[] {
    const groups: { name: string; scores: number[]; ids: number[]; start: number; end: number }[] = [];
    let before = '';
    for (const { entity, scores, best, id, start, end } of tokens) {
      const [, prefix, name] = /^(?:([BI])-)?(.*)$/.exec(entity)!;
      const last = groups.at(-1);
      if (last && before === name && prefix !== 'B') {
        last.scores.push(scores[best]!);
        last.ids.push(id);
        last.end = end;
      } else {
        groups.push({ name: name!, scores: [scores[best]!], ids: [id], start, end });
      }
      before = name!;
    }
    return groups.map(({ name, scores, ids, start, end }) => ({
      entity_group: name,
      score: scores.reduce((a, b) => a + b, 0) / scores.length,
      word: tokenizer.decode(ids, { skipSpecialTokens: true }).trim() || text.slice(start, end),
      start,
      end,
    }));
  }
}
