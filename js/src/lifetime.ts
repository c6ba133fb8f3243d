// Who frees what: dispose() by hand, tidy() for a block, the garbage collector for what was forgotten.
import { Callable } from './callable.js';
import { TrustformersError } from './errors.js';
import type { Engine } from './runtime/engine.js';

interface Owned {
  engine: Engine;
  free: string;
  address: number;
}

const forgotten = new FinalizationRegistry<Owned>(({ engine, free, address }) => engine.raw(free, address));

/** A thing of the engine's. After dispose() every use throws. */
export class Resource {
  #owned: Owned | null;
  readonly #what: string;

  constructor(engine: Engine, address: number, free: string, what: string) {
    this.#owned = { engine, free, address };
    this.#what = what;
    forgotten.register(this, this.#owned, this.#owned);
  }

  /** Its address in the engine; for the files of this package. */
  get handle(): number {
    if (!this.#owned) throw new TrustformersError('disposed', `[${this.#what}] this ${this.#what} was disposed`);
    return this.#owned.address;
  }
  get engine(): Engine {
    if (!this.#owned) throw new TrustformersError('disposed', `[${this.#what}] this ${this.#what} was disposed`);
    return this.#owned.engine;
  }
  get disposed(): boolean {
    return this.#owned === null;
  }

  /** Gives its memory back at once. Doing it again is allowed. */
  dispose(): void {
    if (!this.#owned) return;
    const { engine, free, address } = this.#owned;
    forgotten.unregister(this.#owned);
    this.#owned = null;
    engine.raw(free, address);
  }
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** A resource that is called like a function: models, tokenizers. */
export abstract class CallableResource<A extends unknown[], R> extends Callable<A, R> {
  readonly #owned: Resource;

  protected constructor(engine: Engine, address: number, free: string, what: string) {
    super();
    this.#owned = new Resource(engine, address, free, what);
  }
  get handle(): number {
    return this.#owned.handle;
  }
  get engine(): Engine {
    return this.#owned.engine;
  }
  get disposed(): boolean {
    return this.#owned.disposed;
  }
  dispose(): void {
    this.#owned.dispose();
  }
  [Symbol.dispose](): void {
    this.dispose();
  }
}

const scopes: Set<Resource>[] = [];

/** Notes a new resource in the innermost tidy(). */
export function track<T extends Resource>(resource: T): T {
  scopes.at(-1)?.add(resource);
  return resource;
}

/** Takes a resource out of every tidy() around it. */
export function keep<T extends Resource>(resource: T): T {
  for (const scope of scopes) scope.delete(resource);
  return resource;
}

function resourcesIn(value: unknown, found: Set<Resource>, seen = new Set<object>()): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (value instanceof Resource) found.add(value);
  else if (Array.isArray(value)) for (const item of value) resourcesIn(item, found, seen);
  else if (Object.getPrototypeOf(value) === Object.prototype)
    for (const item of Object.values(value)) resourcesIn(item, found, seen);
}

/**
 * Runs `body` and disposes every tensor made in it, except those in what it returns (also inside arrays and plain
 * objects) and those given to keep(). The body must not be asynchronous.
 */
export function tidy<T>(body: () => T): T {
  const scope = new Set<Resource>();
  scopes.push(scope);
  try {
    const result = body();
    if (result instanceof Promise)
      throw new TrustformersError('invalid_argument', '[tidy] the body must not be asynchronous');
    const kept = new Set<Resource>();
    resourcesIn(result, kept);
    for (const resource of kept) if (scope.delete(resource)) scopes.at(-2)?.add(resource);
    return result;
  } finally {
    scopes.pop();
    for (const resource of scope) resource.dispose();
  }
}
