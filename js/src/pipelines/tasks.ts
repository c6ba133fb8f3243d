// The tasks that there are: one line each.
import { TrustformersError } from '../errors.js';
import { textClassification, tokenClassification } from './classification.js';
import { featureExtraction } from './feature_extraction.js';
import { fillMask } from './fill_mask.js';
import { questionAnswering } from './question_answering.js';
import { textGeneration } from './text_generation.js';
import type { TaskCall, TaskParts } from './task.js';

interface TaskRow {
  /** Of the model, in the words of the C interface. */
  head: string;
  make: (parts: TaskParts) => TaskCall;
  /** The model where none is named, as in Hugging Face's libraries. */
  usual: string;
}

const rows = {
  'text-generation': { head: 'causal_lm', make: textGeneration, usual: 'openai-community/gpt2' },
  'text2text-generation': { head: 'seq2seq_lm', make: textGeneration, usual: 'google-t5/t5-base' },
  'text-classification': {
    head: 'sequence_classification',
    make: textClassification,
    usual: 'distilbert/distilbert-base-uncased-finetuned-sst-2-english',
  },
  'token-classification': { head: 'token_classification', make: tokenClassification, usual: 'dbmdz/bert-large-cased-finetuned-conll03-english' },
  'fill-mask': { head: 'masked_lm', make: fillMask, usual: 'distilbert/distilroberta-base' },
  'question-answering': { head: 'question_answering', make: questionAnswering, usual: 'distilbert/distilbert-base-cased-distilled-squad' },
  'feature-extraction': { head: 'base', make: featureExtraction, usual: 'distilbert/distilbert-base-cased' },
} as const satisfies Record<string, TaskRow>;

const aliases = { 'sentiment-analysis': 'text-classification', ner: 'token-classification', embeddings: 'feature-extraction' } as const;

export type TaskName = keyof typeof rows | keyof typeof aliases;

export function taskNamed(task: string): TaskRow & { name: string } {
  const name = (aliases as Record<string, string>)[task] ?? task;
  const row = (rows as Record<string, TaskRow>)[name];
  if (!row)
    throw new TrustformersError('unsupported', `[pipeline] there is no task "${task}"; there are: ${[...Object.keys(rows), ...Object.keys(aliases)].join(', ')}`);
  return { ...row, name };
}
