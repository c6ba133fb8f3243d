// The span of a text that answers a question. Long texts are read in windows that overlap.
import { TrustformersError } from '../errors.js';
import { tidy } from '../lifetime.js';
import { refuseRest, throwIfAborted } from '../options.js';
import { Tensor } from '../tensor.js';
import type { EncodedRow } from '../tokenizer.js';
import { codePointStarts, softmax } from './task.js';
import type { TaskCall, TaskParts } from './task.js';

export interface Question {
  question: string;
  context: string;
}
export interface Answer {
  score: number;
  /** In UTF-16 units of the context, as JavaScript's slice() counts. */
  start: number;
  end: number;
  answer: string;
}

interface Span {
  score: number;
  row: number;
  first: number;
  last: number;
}

export function questionAnswering({ model, tokenizer }: TaskParts): TaskCall {
  const windows = ({ question, context }: Question, maxLength: number, stride: number): EncodedRow[] => {
    const limit = Math.min(maxLength, tokenizer.info.model_max_length ?? maxLength);
    const left = tokenizer.info.padding_side === 'left';
    return tokenizer.encodeRows(left ? context : question, {
      textPair: left ? question : context,
      truncation: left ? 'only_first' : 'only_second',
      maxLength: limit,
      stride: Math.min(stride, limit >> 1),
      returnOverflowingTokens: true,
    });
  };

  /** Probabilities of begin and end for each token of a window; tokens outside of the context count as none. */
  const scores = (row: EncodedRow, of: number): [number[], number[]] =>
    tidy(() => {
      const tensor = (values: number[]) => Tensor.fromArray([values], { dtype: 'int64' });
      const inputs = { input_ids: tensor(row.ids), attention_mask: tensor(row.attentionMask) };
      const typed = row.typeIds.some((type) => type !== 0);
      const { startLogits, endLogits } = model.forwardSync(typed ? { ...inputs, token_type_ids: tensor(row.typeIds) } : inputs);
      const masked = (logits: Tensor) => softmax(Array.from(logits.data() as Float32Array, (x, i) => (row.sequenceIds[i] === of ? x : -10000)));
      return [masked(startLogits!), masked(endLogits!)];
    });

  return async (inputs, options, { signal }) => {
    const { top_k = 1, max_answer_len = 15, max_seq_len = 384, doc_stride = 128, ...rest } = options as Record<string, number>;
    refuseRest(rest, 'question-answering');
    const list = (Array.isArray(inputs) ? inputs : [inputs]) as Question[];
    const out = list.map((item) => {
      if (typeof item?.question !== 'string' || typeof item.context !== 'string')
        throw new TrustformersError('invalid_argument', '[question-answering] expected {question, context}');
      const of = tokenizer.info.padding_side === 'left' ? 0 : 1;
      const rows = windows(item, max_seq_len, doc_stride);
      const spans: Span[] = [];
      rows.forEach((row, at) => {
        throwIfAborted(signal, 'question-answering');
        const [starts, ends] = scores(row, of);
        for (let first = 0; first < starts.length; ++first) {
          if (row.sequenceIds[first] !== of) continue;
          for (let last = first; last < Math.min(starts.length, first + max_answer_len); ++last)
            if (row.sequenceIds[last] === of) spans.push({ score: starts[first]! * ends[last]!, row: at, first, last });
        }
      });
      spans.sort((a, b) => b.score - a.score);
      const units = codePointStarts(item.context);
      const answers = spans.slice(0, top_k).map(({ score, row, first, last }): Answer => {
        const start = units[wordEdge(rows[row]!, of, first, 0)]!;
        const end = units[wordEdge(rows[row]!, of, last, 1)]!;
        return { score, start, end, answer: item.context.slice(start, end) };
      });
      return top_k === 1 ? (answers[0] ?? { score: 0, start: 0, end: 0, answer: '' }) : answers;
    });
    return Array.isArray(inputs) ? out : out[0]!;
  };
}

/** Where the word of a token begins (edge 0) or ends (edge 1): answers are made of whole words. */
function wordEdge(row: EncodedRow, of: number, token: number, edge: 0 | 1): number {
  const word = row.wordIds[token]!;
  if (word < 0) return row.offsets[token]![edge];
  const edges = row.offsets.filter((_, i) => row.wordIds[i] === word && row.sequenceIds[i] === of).map((offset) => offset[edge]);
  return edge === 0 ? Math.min(...edges) : Math.max(...edges);
}
