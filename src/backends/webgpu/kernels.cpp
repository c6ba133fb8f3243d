#include "kernels.h"

#include <algorithm>

#include "../../ops/norm/norm.h"
#include "device.h"
#include "shaders.h"

namespace trustformers::webgpu {
namespace {

constexpr std::uint32_t tile = 16;

/// rms_norm.wgsl
struct RmsNormParams {
  std::uint32_t rows, width, x_offset, weight_offset, has_weight;
  float eps;
  std::uint32_t grid_x;
};

/// matmul.wgsl
struct MatmulParams {
  std::uint32_t m, n, k, batch_rank;
  std::uint32_t a_offset, a_row, a_column, first_batch;
  std::uint32_t b_offset, b_row, b_column, unused;
  std::uint32_t batch[6][4];
};
static_assert(sizeof(MatmulParams) == 144);

bool all_f32(const OpCall& call) {
  return std::all_of(call.in.begin(), call.in.end(),
                     [](const Tensor& t) { return !t.defined() || t.dtype() == DType::f32; });
}

void run_rms_norm(const KernelCall& call) {
  const Tensor& x = call.in[0];
  const Tensor& weight = call.in[1].defined() ? call.in[1] : x;  // something must be bound; the shader ignores it
  const Tensor& y = call.out[0];
  if (y.numel() == 0) return;
  RmsNormParams params{};
  params.width = shader_index(x.size(-1), "rms_norm");
  params.rows = shader_index(x.numel() / x.size(-1), "rms_norm");
  params.x_offset = shader_index(x.impl().offset, "rms_norm");
  params.weight_offset = shader_index(weight.impl().offset, "rms_norm");
  params.has_weight = call.in[1].defined();
  params.eps = static_cast<float>(call.as<NormAttrs>().eps);
  WebGpuDevice& device = WebGpuDevice::of(y);
  const Grid grid = fold_grid(params.rows, device.limits());
  params.grid_x = grid.x;
  device.run("rms_norm", shaders::rms_norm, {&x, &weight, &y}, params, grid);
}

/// The stride of the output's batch dimension `from_inside` (0 is the innermost) in an input that broadcasts along it.
std::int64_t batch_stride(const Tensor& t, std::size_t from_inside) {
  if (from_inside + 2 >= t.rank()) return 0;
  const std::size_t d = t.rank() - 3 - from_inside;
  return t.shape()[d] == 1 ? 0 : t.strides()[d];
}

void run_matmul(const KernelCall& call) {
  const Tensor& a = call.in[0];
  const Tensor& b = call.in[1];
  const Tensor& c = call.out[0];
  if (c.numel() == 0) return;
  const auto index = [](std::int64_t value) { return shader_index(value, "matmul"); };
  const auto stride = [&](const Tensor& t, std::size_t back) { return index(t.strides()[t.rank() - back]); };
  MatmulParams params{};
  params.m = index(c.size(-2));
  params.n = index(c.size(-1));
  params.k = index(a.size(-1));
  params.a_offset = index(a.impl().offset);
  params.a_row = stride(a, 2);
  params.a_column = stride(a, 1);
  params.b_offset = index(b.impl().offset);
  params.b_row = stride(b, 2);
  params.b_column = stride(b, 1);
  params.batch_rank = static_cast<std::uint32_t>(c.rank() - 2);
  for (std::size_t d = 0; d < params.batch_rank; ++d) {
    params.batch[d][0] = index(c.shape()[c.rank() - 3 - d]);
    params.batch[d][1] = index(batch_stride(a, d));
    params.batch[d][2] = index(batch_stride(b, d));
  }
  WebGpuDevice& device = WebGpuDevice::of(c);
  const std::uint32_t most = device.limits().grid;
  const Grid tiles{(params.n + tile - 1) / tile, (params.m + tile - 1) / tile, 1};
  check(tiles.x <= most && tiles.y <= most, ErrorCode::out_of_range, "[matmul] webgpu takes at most ", most * tile,
        " rows and columns, got ", describe(c));
  const std::uint32_t batches = index(c.numel() / (c.size(-2) * c.size(-1)));
  for (std::uint32_t done = 0; done < batches;) {
    const std::uint32_t now = std::min(most, batches - done);
    params.first_batch = done;
    device.run("matmul", shaders::matmul, {&a, &b, &c}, params, {tiles.x, tiles.y, now});
    done += now;
  }
}

struct NamedKernel {
  std::string_view op;
  Kernel kernel;
};

const NamedKernel table[] = {
    {"matmul", {.run = run_matmul, .supports = all_f32, .layout = KernelLayout::any}},
    {"rms_norm", {.run = run_rms_norm, .supports = all_f32}},
};

}  // namespace

const Kernel* find_kernel(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(table), std::end(table), [&](const NamedKernel& row) { return row.op == name; });
  return found == std::end(table) ? nullptr : &found->kernel;
}

}  // namespace trustformers::webgpu
