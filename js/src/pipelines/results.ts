// What the tasks take and give: inputs and results of docs/pipelines.md.
import type { GenerateOptions } from '../generation.js';
import type { TextStreamer } from '../streamer.js';
import type { Tensor } from '../tensor.js';
import type { ChatMessage, ChatOptions } from '../tokenizer.js';

export interface TextClassification {
  label: string;
  score: number;
}
export interface ZeroShotClassification {
  sequence: string;
  /** The most likely first, as `scores`. */
  labels: string[];
  scores: number[];
}
export interface TokenClassification {
  entity?: string;
  entity_group?: string;
  score: number;
  index?: number;
  word: string;
  /** In UTF-16 units of the text, as JavaScript's slice() counts. */
  start: number;
  end: number;
}
export interface FilledMask {
  score: number;
  token: number;
  token_str: string;
  sequence: string;
}
export interface Question {
  question: string;
  context: string;
}
export interface Answer {
  score: number;
  /** In UTF-16 units of the context. */
  start: number;
  end: number;
  answer: string;
}
export interface RankedDocument {
  corpus_id: number;
  score: number;
  text?: string;
}
export interface GeneratedText {
  /** The prompt and what follows; of a conversation all its messages with the new one. */
  generated_text: string | ChatMessage[];
}

interface Common {
  signal?: AbortSignal;
  /** Inputs that run together; 8. */
  batchSize?: number;
}
export type Chat = readonly ChatMessage[];
interface Encoding {
  truncation?: boolean | string;
  maxLength?: number;
}
export interface TextGenerationOptions extends GenerateOptions, Omit<ChatOptions, 'addGenerationPrompt'>, Common {
  returnFullText?: boolean;
  addSpecialTokens?: boolean;
  skipSpecialTokens?: boolean;
  /** Whether the last message is to be continued; so at first where it is the assistant's. */
  continueFinalMessage?: boolean;
  /** Texts that end the answer, and are part of it. */
  stopStrings?: string | readonly string[];
  streamer?: TextStreamer;
}
export interface Text2TextOptions extends GenerateOptions, Common {
  truncation?: boolean | string;
  cleanUpTokenizationSpaces?: boolean;
  streamer?: TextStreamer;
}
export interface TranslationOptions extends Text2TextOptions {
  srcLang?: string;
  tgtLang?: string;
}
interface ClassificationOptions extends Encoding, Common {
  functionToApply?: 'none' | 'sigmoid' | 'softmax';
}
interface ZeroShotOptions extends Common {
  candidateLabels: string | readonly string[];
  hypothesisTemplate?: string;
  multiLabel?: boolean;
}
interface TaggingOptions extends Common {
  aggregationStrategy?: 'none' | 'simple' | 'first' | 'average' | 'max';
  ignoreLabels?: readonly string[];
  stride?: number;
}
interface MaskOptions extends Common {
  topK?: number;
  targets?: string | readonly string[];
}
interface AnswerOptions extends Common {
  maxAnswerLen?: number;
  maxSeqLen?: number;
  docStride?: number;
  handleImpossibleAnswer?: boolean;
  alignToWords?: boolean;
}
interface RankingOptions extends Common {
  topK?: number;
  returnDocuments?: boolean;
}

interface Writes<Input, Options, Result> {
  (input: Input, options?: Options): Promise<Result[]>;
  (input: readonly Input[], options?: Options): Promise<Result[][]>;
}
/** Lists give one result an input. */
interface Text2Text<Options, Result> {
  (input: string | readonly string[], options?: Options): Promise<Result[]>;
}
interface Each<Input, Options, Result> {
  (input: Input, options?: Options): Promise<Result>;
  (input: readonly Input[], options?: Options): Promise<Result[]>;
}

export interface Tasks {
  'text-generation': Writes<string, TextGenerationOptions, GeneratedText> & Writes<Chat, TextGenerationOptions, GeneratedText>;
  'text2text-generation': Text2Text<Text2TextOptions, { generated_text: string }>;
  summarization: Text2Text<Text2TextOptions, { summary_text: string }>;
  translation: Text2Text<TranslationOptions, { translation_text: string }>;
  'text-classification': {
    (input: string | readonly string[], options?: { topK?: 1 } & ClassificationOptions): Promise<TextClassification[]>;
    (input: string, options: { topK: number | null } & ClassificationOptions): Promise<TextClassification[]>;
    (input: readonly string[], options: { topK: number | null } & ClassificationOptions): Promise<TextClassification[][]>;
  };
  'sentiment-analysis': Tasks['text-classification'];
  'zero-shot-classification': {
    (input: string, options: ZeroShotOptions): Promise<ZeroShotClassification>;
    (input: readonly string[], options: ZeroShotOptions): Promise<ZeroShotClassification[]>;
  };
  'token-classification': Each<string, TaggingOptions, TokenClassification[]>;
  ner: Tasks['token-classification'];
  'fill-mask': Each<string, MaskOptions, FilledMask[] | FilledMask[][]>;
  'question-answering': {
    (input: Question, options?: { topK?: 1 } & AnswerOptions): Promise<Answer>;
    (input: Question, options: { topK: number } & AnswerOptions): Promise<Answer[]>;
    (input: readonly Question[], options?: { topK?: 1 } & AnswerOptions): Promise<Answer[]>;
    (input: readonly Question[], options: { topK: number } & AnswerOptions): Promise<Answer[][]>;
  };
  'sentence-similarity': (input: { source_sentence: string; sentences: readonly string[] }, options?: Common) => Promise<number[]>;
  'text-ranking': (input: { query: string; documents: readonly string[] }, options?: RankingOptions) => Promise<RankedDocument[]>;
  'feature-extraction': (
    input: string | readonly string[],
    options?: { pooling?: 'none' | 'mean' | 'cls' | 'last_token'; normalize?: boolean } & Common,
  ) => Promise<Tensor>;
  embeddings: Tasks['feature-extraction'];
}
