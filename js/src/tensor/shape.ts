// How the elements of a tensor are laid out: views, pieces, and what is taken from where.
import { TrustformersError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { TensorMath } from './math.js';
import { runOp } from './op.js';

function listOf(first: number | readonly number[], rest: readonly number[]): readonly number[] {
  return typeof first === 'number' ? [first, ...rest] : first;
}

export abstract class TensorShape extends TensorMath {
  /** One size may be -1. A view where the elements allow it, else a copy. */
  reshape(first: number | readonly number[], ...rest: number[]): Tensor {
    return this.op('reshape', { shape: listOf(first, rest) });
  }
  view(first: number | readonly number[], ...rest: number[]): Tensor {
    return this.reshape(first, ...rest);
  }
  flatten(start = 0, end = -1): Tensor {
    const shape = this.shape();
    if (shape.length === 0) return this.reshape([1]);
    const [from, to] = [start, end].map((d) => (d < 0 ? d + shape.length : d)) as [number, number];
    if (from < 0 || to >= shape.length || from > to)
      throw new TrustformersError('out_of_range', `[flatten] dimensions ${start} to ${end} of ${this.describe()}`);
    const joined = shape.slice(from, to + 1).reduce((a, b) => a * b, 1);
    return this.reshape([...shape.slice(0, from), joined, ...shape.slice(to + 1)]);
  }
  permute(first: number | readonly number[], ...rest: number[]): Tensor {
    return this.op('permute', { dims: listOf(first, rest) });
  }
  transpose(dim0: number, dim1: number): Tensor {
    return this.op('transpose', { dim0, dim1 });
  }
  /** Of a matrix. */
  t(): Tensor {
    return this.ndim < 2 ? this.contiguous() : this.transpose(0, 1);
  }
  /** Without `dim` all sizes of 1 go. */
  squeeze(dim?: number): Tensor {
    return this.op('squeeze', { dim });
  }
  unsqueeze(dim: number): Tensor {
    return this.op('unsqueeze', { dim });
  }
  expand(first: number | readonly number[], ...rest: number[]): Tensor {
    return this.op('expand', { shape: listOf(first, rest) });
  }
  repeat(first: number | readonly number[], ...rest: number[]): Tensor {
    return this.op('repeat', { repeats: listOf(first, rest) });
  }
  /** Elements start, start + step, … below end along `dim`; negative ones count from the end. */
  slice(dim: number, start = 0, end: number | null = null, step = 1): Tensor {
    return this.op('slice', { dim, start, end: end ?? undefined, step });
  }
  select(dim: number, index: number): Tensor {
    return this.op('select', { dim, index });
  }
  /** Pieces of `size` elements (the last may be smaller), or of the sizes listed. */
  split(size: number | readonly number[], dim = 0): Tensor[] {
    const shape = this.shape();
    const total = shape[dim < 0 ? dim + shape.length : dim];
    if (total === undefined)
      throw new TrustformersError('out_of_range', `[split] dimension ${dim} of ${this.describe()}`);
    if (typeof size === 'number' && size < 1)
      throw new TrustformersError('invalid_argument', `[split] the size must be at least 1, got ${size}`);
    const sizes =
      typeof size === 'number'
        ? Array.from({ length: Math.max(1, Math.ceil(total / size)) }, (_, i) => Math.min(size, total - i * size))
        : size;
    if (sizes.reduce((a, b) => a + b, 0) !== total)
      throw new TrustformersError('shape_mismatch', `[split] sizes ${sizes.join(', ')} for dimension ${dim} of ${this.describe()}`);
    let at = 0;
    return sizes.map((length) => this.slice(dim, at, (at += length)));
  }
  chunk(chunks: number, dim = 0): Tensor[] {
    const shape = this.shape();
    const total = shape[dim < 0 ? dim + shape.length : dim] ?? 0;
    if (chunks < 1) throw new TrustformersError('invalid_argument', `[chunk] expected at least 1, got ${chunks}`);
    return this.split(Math.max(1, Math.ceil(total / chunks)), dim);
  }
  gather(dim: number, index: Tensor): Tensor {
    return runOp(this.engine, 'gather', [this, index], { dim });
  }
  indexSelect(dim: number, index: Tensor): Tensor {
    return runOp(this.engine, 'index_select', [this, index], { dim });
  }
  scatterAdd(dim: number, index: Tensor, source: Tensor): Tensor {
    return runOp(this.engine, 'scatter_add', [this, index, source], { dim });
  }
  flip(dim: number): Tensor {
    return this.op('flip', { dim });
  }
  /** Zeros around a dimension. */
  pad(dim: number, before: number, after: number): Tensor {
    return this.op('pad', { dim, before, after });
  }
  tril(diagonal = 0): Tensor {
    return this.op('tril', { diagonal });
  }
  triu(diagonal = 0): Tensor {
    return this.op('triu', { diagonal });
  }
  contiguous(): Tensor {
    return this.op('contiguous');
  }
}
