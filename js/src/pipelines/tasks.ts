// The tasks that there are: one line each.
import { TrustformersError } from '../errors.js';
import { engineTask } from './engine_task.js';
import { featureExtraction } from './feature_extraction.js';
import type { TaskCall, TaskParts } from './task.js';

interface TaskRow {
  /** Of the model, in the words of the C interface. */
  head: string;
  /** The model where none is named, as in Hugging Face's libraries. */
  usual: string;
}

const rows = {
  'text-generation': { head: 'causal_lm', usual: 'openai-community/gpt2' },
  'text2text-generation': { head: 'seq2seq_lm', usual: 'google-t5/t5-base' },
  summarization: { head: 'seq2seq_lm', usual: 'sshleifer/distilbart-cnn-12-6' },
  translation: { head: 'seq2seq_lm', usual: 'google-t5/t5-base' },
  'text-classification': { head: 'sequence_classification', usual: 'distilbert/distilbert-base-uncased-finetuned-sst-2-english' },
  'zero-shot-classification': { head: 'sequence_classification', usual: 'facebook/bart-large-mnli' },
  'token-classification': { head: 'token_classification', usual: 'dbmdz/bert-large-cased-finetuned-conll03-english' },
  'fill-mask': { head: 'masked_lm', usual: 'distilbert/distilroberta-base' },
  'question-answering': { head: 'question_answering', usual: 'distilbert/distilbert-base-cased-distilled-squad' },
  'feature-extraction': { head: 'base', usual: 'distilbert/distilbert-base-cased' },
  'sentence-similarity': { head: 'base', usual: 'sentence-transformers/all-MiniLM-L6-v2' },
  'text-ranking': { head: 'sequence_classification', usual: 'cross-encoder/ms-marco-MiniLM-L6-v2' },
} as const satisfies Record<string, TaskRow>;

const aliases = { 'sentiment-analysis': 'text-classification', ner: 'token-classification', embeddings: 'feature-extraction' } as const;

/** Translations may name their languages, as T5's and older Marian models' do. */
type Translation = `translation_${string}_to_${string}`;
export type TaskName = keyof typeof rows | keyof typeof aliases | Translation;

/** `name` has no alias, and `task` is what the engine is told. */
export function taskNamed(task: string): TaskRow & { name: string; task: string } {
  const name = (aliases as Record<string, string>)[task] ?? (/^translation_.+_to_.+$/.test(task) ? 'translation' : task);
  const row = (rows as Record<string, TaskRow>)[name];
  if (!row)
    throw new TrustformersError('unsupported', `[pipeline] there is no task "${task}"; there are: ${[...Object.keys(rows), ...Object.keys(aliases)].join(', ')}`);
  return { ...row, name, task: name === 'translation' ? task : name };
}

/** The task above open parts; `files` is the folder in the engine's memory that they came from. */
export function makeTask(task: string, parts: TaskParts, files: number): TaskCall {
  return task === 'feature-extraction' ? featureExtraction(parts) : engineTask(task, parts, files);
}
