/** Objects that can be called like functions, as transformers.js has them: `await model(inputs)`. */
export abstract class Callable<A extends unknown[], R> {
  constructor() {
    const call = (...args: A): R => (call as unknown as this).invoke(...args);
    return Object.setPrototypeOf(call, new.target.prototype) as this;
  }
  /** What a call does. */
  protected abstract invoke(...args: A): R;
}
