// y[r, i] = x[r, i] / sqrt(mean(x[r]^2) + eps) * weight[i]. One workgroup a row: 64 partial sums, then a tree.
struct Params {
  rows: u32,
  width: u32,
  x_offset: u32,
  weight_offset: u32,
  has_weight: u32,
  eps: f32,
  grid_x: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> p: Params;

const lanes = 64u;
var<workgroup> partial: array<f32, lanes>;

@compute @workgroup_size(lanes)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * p.grid_x + group.x;
  let inside = row < p.rows;
  let base = row * p.width;
  var sum = 0.0;
  if (inside) {
    for (var i = lane; i < p.width; i += lanes) {
      let value = x[p.x_offset + base + i];
      sum += value * value;
    }
  }
  partial[lane] = sum;
  for (var step = lanes / 2u; step > 0u; step /= 2u) {
    workgroupBarrier();
    if (lane < step) {
      partial[lane] += partial[lane + step];
    }
  }
  workgroupBarrier();
  if (!inside) {
    return;
  }
  let scale = inverseSqrt(partial[0] / f32(p.width) + p.eps);
  for (var i = lane; i < p.width; i += lanes) {
    let gain = select(1.0, weight[p.weight_offset + i], p.has_weight != 0u);
    y[base + i] = x[p.x_offset + base + i] * scale * gain;
  }
}
