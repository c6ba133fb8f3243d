#include <cstring>
#include <mutex>

#include "../../../base/error.h"
#include "../../../base/memory.h"
#include "../../../quantization/blocks.h"
#include "gemm.h"
#include "kernel_types.h"

namespace trustformers::cpu {
namespace {

// How each block type becomes a panel of 8 outputs. `codes` gives 32 unsigned quants; `scales` fills what is not
// quants.

void nibbles(const std::uint8_t* bytes, std::uint8_t* out) {
  for (int i = 0; i < 16; ++i) {
    out[i] = bytes[i] & 15;
    out[16 + i] = bytes[i] >> 4;
  }
}
void add_bit_4(const std::uint8_t* bits, std::uint8_t* out) {
  for (int i = 0; i < 32; ++i) out[i] = static_cast<std::uint8_t>(out[i] | ((bits[i / 8] >> (i % 8) & 1) << 4));
}
/// Group `g` of 32 in the quants of q4_k and q5_k: low or high nibbles of 32 bytes.
void nibbles_of_group(const std::uint8_t* bytes, int g, std::uint8_t* out) {
  for (int i = 0; i < 32; ++i) out[i] = (bytes[32 * (g / 2) + i] >> (g % 2 * 4)) & 15;
}

void codes(const BlockQ4_0& b, int, std::uint8_t* out) { nibbles(b.qs, out); }
void codes(const BlockQ4_1& b, int, std::uint8_t* out) { nibbles(b.qs, out); }
void codes(const BlockQ5_0& b, int, std::uint8_t* out) { nibbles(b.qs, out), add_bit_4(b.qh, out); }
void codes(const BlockQ5_1& b, int, std::uint8_t* out) { nibbles(b.qs, out), add_bit_4(b.qh, out); }
void codes(const BlockQ4K& b, int g, std::uint8_t* out) { nibbles_of_group(b.qs, g, out); }
void codes(const BlockQ5K& b, int g, std::uint8_t* out) {
  nibbles_of_group(b.qs, g, out);
  for (int i = 0; i < 32; ++i) out[i] = static_cast<std::uint8_t>(out[i] | ((b.qh[i] >> g & 1) << 4));
}
void codes(const BlockQ6K& b, int g, std::uint8_t* out) {
  // Per 128 elements: 64 bytes whose low nibbles are groups 0 and 1 and high nibbles groups 2 and 3; 32 bytes of pairs.
  const std::uint8_t* low = b.ql + 64 * (g / 4) + 32 * (g % 2);
  const std::uint8_t* high = b.qh + 32 * (g / 4);
  for (int i = 0; i < 32; ++i)
    out[i] = static_cast<std::uint8_t>((low[i] >> (g % 4 / 2 * 4) & 15) | ((high[i] >> (2 * (g % 4)) & 3) << 4));
}

void scales(const BlockQ4_0& b, int c, PanelQ40& p) { p.d[c] = b.d.bits; }
void scales(const BlockQ4_1& b, int c, PanelQ41& p) { p.d[c] = b.d.bits, p.m[c] = b.m.bits; }
void scales(const BlockQ5_0& b, int c, PanelQ50& p) { p.d[c] = b.d.bits; }
void scales(const BlockQ5_1& b, int c, PanelQ51& p) { p.d[c] = b.d.bits, p.m[c] = b.m.bits; }
template <class Block, class Panel>
void scales_k(const Block& b, int c, Panel& p) {
  p.d[c] = b.d.bits, p.dmin[c] = b.dmin.bits;
  for (int g = 0; g < 8; ++g) {
    const ScaleMin s = scale_min_k4(b.scales, g);
    p.part[g].scale[c] = s.scale, p.part[g].min[c] = s.minimum;
  }
}
void scales(const BlockQ4K& b, int c, PanelQ4K& p) { scales_k(b, c, p); }
void scales(const BlockQ5K& b, int c, PanelQ5K& p) { scales_k(b, c, p); }
void scales(const BlockQ6K& b, int c, PanelQ6K& p) {
  p.d[c] = b.d.bits;
  for (int g = 0; g < 16; ++g) p.part[g / 2].scale[g % 2][c] = b.scales[g];
}

/// Spreads 32 codes of output `c` over the bytes described in kernel_types.h and quantized_kernels.h.
template <class Part>
void put_codes(const std::uint8_t* u, int c, Part& part) {
  for (int j = 0; j < 4; ++j)
    for (int b = 0; b < 4; ++b)
      part.low[32 * j + 4 * c + b] = static_cast<std::uint8_t>((u[4 * j + b] & 15) | ((u[16 + 4 * j + b] & 15) << 4));
  if constexpr (requires { part.high; }) {
    constexpr int bits = sizeof(part.high) / 32;  // beyond four
    for (int b = 0; b < 4; ++b)
      for (int plane = 0; plane < bits; ++plane) {
        unsigned byte = 0;
        for (int t = 0; t < 8 / bits; ++t)
          byte |= static_cast<unsigned>(u[4 * (plane * 8 / bits + t) + b] >> 4) << (bits * t);
        part.high[32 * plane + 4 * c + b] = static_cast<std::uint8_t>(byte);
      }
  }
}

template <class Block, class Panel>
void pack_block(const Block& block, int c, Panel& panel) {
  scales(block, c, panel);
  std::uint8_t u[32];
  if constexpr (requires { panel.part; }) {
    for (int g = 0; g < 8; ++g) codes(block, g, u), put_codes(u, c, panel.part[g]);
  } else {
    codes(block, 0, u), put_codes(u, c, panel);
  }
}
void pack_block(const BlockQ8_0& block, int c, PanelQ80& panel) {
  panel.d[c] = block.d.bits;
  for (int j = 0; j < 8; ++j) std::memcpy(panel.q + 32 * j + 4 * c, block.qs + 4 * j, 4);
}

template <class Block, class Panel>
void pack_block_panel(const WeightView& w, std::int64_t first_row, std::byte* out) {
  const int block_k = info(w.dtype).block_elements;
  auto* panels = reinterpret_cast<Panel*>(out);
  for (int c = 0; c < 8 && first_row + c < w.rows; ++c) {
    const std::byte* row =
        w.data + (first_row + c) * (w.row_stride / block_k) * static_cast<std::int64_t>(sizeof(Block));
    for (std::int64_t b = 0; b < w.columns / block_k; ++b) {
      Block block;  // a copy, because blocks in a file need not be aligned
      std::memcpy(&block, row + b * static_cast<std::int64_t>(sizeof(Block)), sizeof(Block));
      pack_block(block, c, panels[b]);
    }
  }
}

template <class T>
void pack_plain_panel(const WeightView& w, std::int64_t first_row, std::byte* out) {
  auto* panel = reinterpret_cast<T*>(out);
  for (int c = 0; c < panel_width && first_row + c < w.rows; ++c) {
    const std::byte* row = w.data + (first_row + c) * w.row_stride * static_cast<std::int64_t>(sizeof(T));
    for (std::int64_t k = 0; k < w.columns; ++k)
      std::memcpy(panel + k * panel_width + c, row + k * w.column_stride * static_cast<std::int64_t>(sizeof(T)),
                  sizeof(T));
  }
}

struct Form {
  void (*pack)(const WeightView& weight, std::int64_t first_row, std::byte* out) = nullptr;
  std::int64_t bytes = 0;  // of a panel's block of k
  int k = 1;
};

Form form_of(DType dtype) {
  switch (dtype) {
    case DType::f32: return {pack_plain_panel<float>, 4 * panel_width, 1};
    case DType::f16:
    case DType::bf16: return {pack_plain_panel<std::uint16_t>, 2 * panel_width, 1};
    case DType::q4_0: return {pack_block_panel<BlockQ4_0, PanelQ40>, sizeof(PanelQ40), 32};
    case DType::q4_1: return {pack_block_panel<BlockQ4_1, PanelQ41>, sizeof(PanelQ41), 32};
    case DType::q5_0: return {pack_block_panel<BlockQ5_0, PanelQ50>, sizeof(PanelQ50), 32};
    case DType::q5_1: return {pack_block_panel<BlockQ5_1, PanelQ51>, sizeof(PanelQ51), 32};
    case DType::q8_0: return {pack_block_panel<BlockQ8_0, PanelQ80>, sizeof(PanelQ80), 32};
    case DType::q4_k: return {pack_block_panel<BlockQ4K, PanelQ4K>, sizeof(PanelQ4K), 256};
    case DType::q5_k: return {pack_block_panel<BlockQ5K, PanelQ5K>, sizeof(PanelQ5K), 256};
    case DType::q6_k: return {pack_block_panel<BlockQ6K, PanelQ6K>, sizeof(PanelQ6K), 256};
    default: return {};
  }
}

/// Memory for panels out of shared chunks of huge pages: a single weight is often smaller than one page.
std::shared_ptr<std::byte> take_from_arena(std::size_t bytes) {
  constexpr std::size_t chunk_bytes = std::size_t{32} << 20;
  if (bytes >= chunk_bytes / 2) return allocate_huge(bytes);
  static std::mutex mutex;
  static std::weak_ptr<std::byte> chunk;  // lives as long as a matrix in it
  static std::size_t used = 0;
  const std::scoped_lock lock(mutex);
  std::shared_ptr<std::byte> held = chunk.lock();
  if (!held || used + bytes > chunk_bytes) {
    held = allocate_huge(chunk_bytes);
    chunk = held;
    used = 0;
  }
  std::byte* part = held.get() + used;
  used += (bytes + 63) / 64 * 64;
  return {std::move(held), part};
}

}  // namespace

bool PackedMatrix::has_form(DType dtype) { return form_of(dtype).pack != nullptr; }

std::shared_ptr<const PackedMatrix> PackedMatrix::pack(ThreadPool& threads, const WeightView& weight) {
  const Form form = form_of(weight.dtype);
  check(form.pack != nullptr, ErrorCode::unsupported, "[pack] no packed form for ", to_string(weight.dtype));
  check(form.k == 1 || (weight.column_stride == 1 && weight.columns % form.k == 0 && weight.row_stride % form.k == 0),
        ErrorCode::invalid_argument, "[pack] rows of ", to_string(weight.dtype), " must be whole blocks of ", form.k,
        " without gaps, but there are ", weight.columns, " columns with strides ", weight.row_stride, " and ",
        weight.column_stride);
  std::shared_ptr<PackedMatrix> packed(new PackedMatrix());
  packed->dtype_ = weight.dtype;
  packed->rows_ = weight.rows;
  packed->columns_ = weight.columns;
  const int width = packed->panel_columns();
  packed->panels_ = (weight.rows + width - 1) / width;
  packed->panel_bytes_ = (weight.columns / form.k * form.bytes + 63) / 64 * 64;
  const auto data = take_from_arena(packed->bytes());
  threads.parallel_for(packed->panels_, 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      std::byte* out = data.get() + i * packed->panel_bytes_;
      // Outputs beyond the last row must be numbers: their products are computed and dropped.
      if ((i + 1) * width > weight.rows) std::memset(out, 0, static_cast<std::size_t>(packed->panel_bytes_));
      form.pack(weight, i * width, out);
    }
  });
  packed->data_ = data;
  packed->source_ = weight;
  return packed;
}

bool PackedMatrix::is_of(const WeightView& weight) const {
  return weight.data == source_.data && weight.dtype == source_.dtype && weight.rows == source_.rows &&
         weight.columns == source_.columns && weight.row_stride == source_.row_stride &&
         weight.column_stride == source_.column_stride;
}

}  // namespace trustformers::cpu
