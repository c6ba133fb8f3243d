// Bytes from a server: broken connections are resumed, pages of errors are told from files.
import { TrustformersError } from '../errors.js';
import { throwIfAborted } from '../options.js';
import { settings } from '../settings.js';

export interface Request {
  url: string;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

const attempts = 4;

export async function request({ url, headers, signal }: Request): Promise<Response> {
  throwIfAborted(signal, 'fetch');
  try {
    const init: RequestInit = { headers: headers ?? {} };
    if (signal) init.signal = signal;
    return await (settings.fetch ?? fetch)(url, init);
  } catch (error) {
    throwIfAborted(signal, 'fetch');
    throw new TrustformersError('io', `[fetch] ${url} cannot be reached`, [], { cause: error });
  }
}

/** Throws unless the answer is a file; gives false where there is none. */
export async function isFile(response: Response, url: string): Promise<boolean> {
  const { status } = response;
  // Development servers answer everything with their start page, and hubs may with a page to log in.
  const html = (response.headers.get('content-type') ?? '').startsWith('text/html');
  if (status === 404 || (status === 200 && html)) {
    await response.body?.cancel();
    if (status === 404) return false;
    throw new TrustformersError('parse', `[fetch] expected a file at ${url}, got a page of HTML`);
  }
  if (response.ok) return true;
  await response.body?.cancel();
  if (status === 401 || status === 403)
    throw new TrustformersError('not_found', `[fetch] ${url} answered ${status}: the model is private, gated or not there; a token may be needed`);
  throw new TrustformersError('io', `[fetch] ${url} answered ${status} ${response.statusText}`.trimEnd());
}

export async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/**
 * The bytes of a file from `from` on. `first` is an answer that is there already. A connection that breaks is made
 * again where it broke, up to four times without any progress.
 */
export async function* download(what: Request, size: number, from = 0, first?: Response): AsyncGenerator<Uint8Array, void> {
  let at = from;
  let failures = 0;
  let cause: unknown;
  let response = first;
  while (at < size) {
    response ??= await request(at > 0 ? { ...what, headers: { ...what.headers, Range: `bytes=${at}-` } } : what);
    if (!(await isFile(response, what.url))) throw new TrustformersError('not_found', `[fetch] there is no ${what.url}`);
    // A server that knows no ranges starts again.
    let skip = at > 0 && response.status !== 206 ? at : 0;
    const before = at;
    try {
      for await (const chunk of chunksOf(response.body!)) {
        throwIfAborted(what.signal, 'fetch');
        const kept = skip > 0 ? chunk.subarray(Math.min(skip, chunk.length)) : chunk;
        skip -= chunk.length - kept.length;
        if (at + kept.length > size)
          throw new TrustformersError('parse', `[fetch] ${what.url} has more than the ${size} bytes that were announced`);
        at += kept.length;
        if (kept.length > 0) yield kept;
      }
    } catch (error) {
      throwIfAborted(what.signal, 'fetch');
      if (error instanceof TrustformersError) throw error;
      cause = error;
    }
    response = undefined;
    if (at === size) return;
    failures = at > before ? 1 : failures + 1;
    if (failures > attempts)
      throw new TrustformersError('io', `[fetch] ${what.url} broke off after ${at} of ${size} bytes, ${failures} times`, [], { cause });
    await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** failures));
  }
}
