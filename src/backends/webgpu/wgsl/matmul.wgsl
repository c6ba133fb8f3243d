// c[batch, m, n] = sum over k of a[batch, m, k] * b[batch, k, n] for any strides, so that transposed and broadcast views
// need no copy. 16 x 16 tiles in workgroup memory, one output a thread.
struct Params {
  m: u32,
  n: u32,
  k: u32,
  batch_rank: u32,
  a_offset: u32,
  a_row: u32,
  a_column: u32,
  first_batch: u32,
  b_offset: u32,
  b_row: u32,
  b_column: u32,
  unused: u32,
  batch: array<vec4u, 6>, // innermost first: size, stride in a, stride in b
}

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

const tile = 16u;
var<workgroup> a_tile: array<array<f32, tile>, tile>;
var<workgroup> b_tile: array<array<f32, tile>, tile>;

@compute @workgroup_size(tile, tile)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let batch = p.first_batch + group.z;
  var a_base = p.a_offset;
  var b_base = p.b_offset;
  var rest = batch;
  for (var d = 0u; d < p.batch_rank; d++) {
    let size = p.batch[d].x;
    let index = rest % size;
    rest /= size;
    a_base += index * p.batch[d].y;
    b_base += index * p.batch[d].z;
  }
  let row = group.y * tile + local.y;
  let column = group.x * tile + local.x;
  var sum = 0.0;
  for (var start = 0u; start < p.k; start += tile) {
    let a_k = start + local.x;
    let b_k = start + local.y;
    a_tile[local.y][local.x] = 0.0;
    if (row < p.m && a_k < p.k) {
      a_tile[local.y][local.x] = a[a_base + row * p.a_row + a_k * p.a_column];
    }
    b_tile[local.y][local.x] = 0.0;
    if (column < p.n && b_k < p.k) {
      b_tile[local.y][local.x] = b[b_base + b_k * p.b_row + column * p.b_column];
    }
    workgroupBarrier();
    // Beyond k both tiles hold zeros; stopping there keeps 0 * inf of a padded edge out of the sum.
    let count = min(tile, p.k - start);
    for (var i = 0u; i < count; i++) {
      sum += a_tile[local.y][i] * b_tile[i][local.x];
    }
    workgroupBarrier();
  }
  if (row < p.m && column < p.n) {
    c[(batch * p.m + row) * p.n + column] = sum;
  }
}
