// Copies 32-bit elements from one strided view to another of the same shape.
struct Params {
  count: u32,
  rank: u32,
  source_offset: u32,
  target_offset: u32,
  grid_x: u32,
  unused_0: u32,
  unused_1: u32,
  unused_2: u32,
  dims: array<vec4u, 8>, // innermost first: size, stride in the source, stride in the target
}

@group(0) @binding(0) var<storage, read> source: array<u32>;
@group(0) @binding(1) var<storage, read_write> copy: array<u32>;
@group(0) @binding(2) var<uniform> p: Params;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let element = (group.y * p.grid_x + group.x) * 64u + lane;
  if (element >= p.count) {
    return;
  }
  var rest = element;
  var from_at = p.source_offset;
  var to_at = p.target_offset;
  for (var d = 0u; d < p.rank; d++) {
    let size = p.dims[d].x;
    let index = rest % size;
    rest /= size;
    from_at += index * p.dims[d].y;
    to_at += index * p.dims[d].z;
  }
  copy[to_at] = source[from_at];
}
