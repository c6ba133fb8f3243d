// Options under both spellings: ours (maxNewTokens) and Python's (max_new_tokens), which the engine speaks.
import { TrustformersError } from './errors.js';

export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
export function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Options in Python's spelling, without those that are undefined. A name given in both spellings is an error. */
export function pythonic(options: object): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const name = snakeCase(key);
    if (name in out) throw new TrustformersError('invalid_argument', `[options] "${key}" is given in two spellings`);
    out[name] = value;
  }
  return out;
}

/** Takes the named options out of a list, so that the rest can go on to where unknown ones are refused. */
export function takeOptions<K extends string>(options: Record<string, unknown>, names: readonly K[]): Partial<Record<K, unknown>> {
  const taken: Partial<Record<K, unknown>> = {};
  for (const name of names)
    if (name in options) {
      taken[name] = options[name];
      delete options[name];
    }
  return taken;
}

/** An object that answers to camelCase and snake_case alike. */
export function bothSpellings<T extends object>(values: Record<string, unknown>): T {
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    out[camelCase(key)] = value;
    const snake = snakeCase(key);
    if (snake !== camelCase(key)) Object.defineProperty(out, snake, { value, enumerable: false });
  }
  return out as T;
}

/** Throws when a signal says so. */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted)
    throw new TrustformersError('cancelled', `[${what}] cancelled`, [], { cause: signal.reason });
}
