// What a module that stands alone imports: a clock, randomness for hash tables, and refusals for everything about files.

export type ProgressHandler = (stage: string, item: string, done: number, total: number) => boolean;

/** The handlers of progress by the numbers that the engine was given for them. */
export class Host {
  memory: WebAssembly.Memory | null = null;
  private readonly handlers = new Map<number, ProgressHandler>();
  private next = 1;

  addHandler(handler: ProgressHandler): number {
    this.handlers.set(this.next, handler);
    return this.next++;
  }
  removeHandler(number: number): void {
    this.handlers.delete(number);
  }

  /** What the engine calls with its progress; gives 1 to stop. */
  readonly progress = (user: number, stage: number, item: number, done: number, total: number): number =>
    this.handlers.get(user)?.(this.text(stage), this.text(item), done, total) === false ? 1 : 0;

  private text(address: number): string {
    const bytes = new Uint8Array(this.memory!.buffer);
    const at = address >>> 0;
    return new TextDecoder().decode(bytes.slice(at, bytes.indexOf(0, at)));
  }

  /** Imports for whatever the module asks for: what is not known here fails with "no such function" of WASI. */
  imports(module: WebAssembly.Module): WebAssembly.Imports {
    const known = this.functions();
    const out: Record<string, Record<string, WebAssembly.ImportValue>> = {};
    for (const { module: from, name, kind } of WebAssembly.Module.imports(module))
      if (kind === 'function') (out[from] ??= {})[name] = known[name] ?? (() => 52);
    return out;
  }

  private functions(): Record<string, (...args: never[]) => unknown> {
    const view = () => new DataView(this.memory!.buffer);
    return {
      tf_js_progress: this.progress,
      emscripten_notify_memory_growth: () => undefined,
      clock_time_get: (id: number, _precision: bigint, out: number) => {
        const ms = id === 0 ? Date.now() : performance.now();
        view().setBigUint64(out >>> 0, BigInt(Math.round(ms * 1e6)), true);
        return 0;
      },
      clock_res_get: (_id: number, out: number) => {
        view().setBigUint64(out >>> 0, 1000n, true);
        return 0;
      },
      environ_sizes_get: (count: number, bytes: number) => {
        view().setUint32(count >>> 0, 0, true);
        view().setUint32(bytes >>> 0, 0, true);
        return 0;
      },
      environ_get: () => 0,
      random_get: (at: number, count: number) => {
        globalThis.crypto.getRandomValues(new Uint8Array(this.memory!.buffer, at >>> 0, count >>> 0));
        return 0;
      },
      proc_exit: (code: number) => {
        throw new WebAssembly.RuntimeError(`the engine ended with ${code}`);
      },
    };
  }
}
