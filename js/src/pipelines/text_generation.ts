// Text that goes on after a prompt, or the next turn of a conversation.
import { TrustformersError } from '../errors.js';
import { StopFilter } from '../generation.js';
import type { GenerateOptions, Generation } from '../generation.js';
import { takeOptions } from '../options.js';
import { pause } from '../runtime/pause.js';
import type { GenerationSession } from '../model.js';
import type { BatchEncoding, ChatMessage, ChatOptions } from '../tokenizer.js';
import type { TaskCall, TaskContext, TaskParts } from './task.js';

export interface GeneratedText {
  /** The prompt and what follows; of a conversation all its messages with the new one. */
  generated_text: string | ChatMessage[];
}

/** Without a length of its own or of the model's a text ends here, as in Python. */
const usualNewTokens = 256;

interface Prompt {
  text: string;
  messages: ChatMessage[] | null;
}

export function textGeneration({ model, tokenizer }: TaskParts): TaskCall {
  let session: GenerationSession | null = null;
  let inUse = false;

  const promptOf = (input: unknown, chat: Record<string, unknown>): Prompt => {
    if (typeof input === 'string') return { text: input, messages: null };
    if (!Array.isArray(input) || input.length === 0 || input.some((m: unknown) => typeof (m as ChatMessage | null)?.role !== 'string'))
      throw new TrustformersError('invalid_argument', '[text-generation] expected a text, or messages of {role, content}');
    const messages = input as ChatMessage[];
    return { text: tokenizer.applyChatTemplate(messages, chat as ChatOptions), messages };
  };

  const one = async (prompt: Prompt, settings: Record<string, unknown>, own: Own, context: TaskContext): Promise<GeneratedText[]> => {
    const encoding = tokenizer(prompt.text, { addSpecialTokens: own.addSpecialTokens ?? prompt.messages === null });
    const several = [settings['num_beams'], settings['num_return_sequences'], model.generationConfig['num_beams']].some((n) => typeof n === 'number' && n > 1);
    const remembers = prompt.messages !== null && !several && !inUse && !model.isEncoderDecoder;
    let generation: Generation | null = null;
    try {
      if (remembers) {
        session ??= model.createSession();
        inUse = true;
      }
      const { input_ids, attention_mask } = encoding;
      generation = model.startGeneration({ input_ids, attention_mask }, settings as GenerateOptions, remembers ? session! : undefined);
      const found = several ? await sequences(generation, encoding, own, context) : [await streamed(generation, encoding, own, context)];
      return found.map((text) => ({ generated_text: complete(prompt, text, own.returnFullText ?? !model.isEncoderDecoder) }));
    } finally {
      generation?.dispose();
      if (remembers) inUse = false;
      for (const tensor of [encoding.inputIds, encoding.attentionMask, encoding.tokenTypeIds]) tensor.dispose();
    }
  };

  /** One row, whose text is complete piece by piece. */
  const streamed = async (generation: Generation, encoding: BatchEncoding, own: Own, { signal, emit }: TaskContext): Promise<string> => {
    const stream = tokenizer.createTextStream({ skipSpecialTokens: own.skipSpecialTokens });
    try {
      // Decoders treat the beginning of a text differently: let them know what comes before.
      if (!model.isEncoderDecoder)
        for (const id of Array.from(encoding.inputIds.data() as BigInt64Array).slice(-8)) stream.push(Number(id));
      const filter = new StopFilter(own.stopStrings);
      let text = '';
      const take = (piece: string, tokens: readonly number[]) => {
        text += piece;
        if (piece !== '' || tokens.length > 0) emit?.(piece, tokens);
      };
      for (let tokens = generation.step(signal); tokens; tokens = generation.step(signal)) {
        take(filter.push(stream.push(tokens[0]!)), tokens);
        if (filter.stopped) {
          generation.stop();
          break;
        }
        await pause();
      }
      if (!filter.stopped) take(filter.push(stream.finish()) + filter.finish(), []);
      return text;
    } finally {
      stream.dispose();
    }
  };

  /** Beams and several answers are known only at the end. */
  const sequences = async (generation: Generation, encoding: BatchEncoding, own: Own, { signal }: TaskContext): Promise<string[]> => {
    while (generation.step(signal)) await pause();
    const tensor = generation.sequences();
    const rows = tensor.toArray() as number[][];
    tensor.dispose();
    const options = { skipSpecialTokens: own.skipSpecialTokens };
    const before = model.isEncoderDecoder ? 0 : encoding.inputIds.shape()[1]!;
    return rows.map((row) => {
      const start = before === 0 ? '' : tokenizer.decode(row.slice(0, before), options);
      const filter = new StopFilter(own.stopStrings);
      return filter.push(tokenizer.decode(row, options).slice(start.length)) + filter.finish();
    });
  };

  const call: TaskCall = async (inputs, options, context) => {
    const settings = { ...options };
    const own = takeOwn(settings);
    const chat = takeOptions(settings, ['tools', 'documents', 'chat_template', 'template_variables', 'add_generation_prompt']);
    const lengths = ['max_new_tokens', 'max_length'];
    if (!lengths.some((name) => typeof settings[name] === 'number' || typeof model.generationConfig[name] === 'number')) settings['max_new_tokens'] = usualNewTokens;
    // Texts or conversations: a list of messages is one conversation.
    const isList = Array.isArray(inputs) && (typeof inputs[0] === 'string' || Array.isArray(inputs[0]));
    const prompts = (isList ? (inputs as unknown[]) : [inputs]).map((input) => promptOf(input, chat));
    const out: GeneratedText[][] = [];
    for (const prompt of prompts) out.push(await one(prompt, settings, own, context));
    return isList ? out : out[0]!;
  };
  call.dispose = () => session?.dispose();
  return call;
}

interface Own {
  returnFullText: boolean | undefined;
  addSpecialTokens: boolean | undefined;
  skipSpecialTokens: boolean;
  stopStrings: string[];
}
function takeOwn(settings: Record<string, unknown>): Own {
  const own = takeOptions(settings, ['return_full_text', 'add_special_tokens', 'skip_special_tokens', 'stop_strings']);
  const stop = own.stop_strings ?? [];
  return {
    returnFullText: own.return_full_text as boolean | undefined,
    addSpecialTokens: own.add_special_tokens as boolean | undefined,
    skipSpecialTokens: own.skip_special_tokens !== false,
    stopStrings: typeof stop === 'string' ? [stop] : (stop as string[]),
  };
}

function complete({ text, messages }: Prompt, generated: string, full: boolean): string | ChatMessage[] {
  if (!messages) return full ? text + generated : generated;
  return full ? [...messages, { role: 'assistant', content: generated }] : generated;
}
