// Calls of the engine's ops, and the tensors that come of them.
import { requireKernel } from '../backend.js';
import { track } from '../lifetime.js';
import type { Engine } from '../runtime/engine.js';
// In a circle: the class has methods that make its like. It is asked for only when ops run.
import { Tensor } from '../tensor.js';
import type { TensorValues } from './values.js';

export type Attributes = Record<string, unknown>;

/** Takes over a tensor of the engine's. */
export function wrapTensor(engine: Engine, address: number): Tensor {
  return track(new Tensor(engine, address));
}

export function runOp(engine: Engine, name: string, inputs: readonly (TensorValues | null)[], attributes?: Attributes): Tensor {
  requireKernel(name);
  const addresses = inputs.map((input) => (input ? input.handle : 0));
  return engine.withArguments((a) =>
    wrapTensor(engine, engine.make('tf_op', engine.name(name), a.addresses(addresses), addresses.length, a.options(attributes))),
  );
}
