// Kernels over panels of quantised weights; included once per ISA after its vector_*.h.
//
// Both modes read the same panel. `widen` gives the floats that dequantisation gives, bit for bit. `multiply` takes
// activations in 8 bits: with w = scale · u + shift, a block adds scale · (a · Σ u q) + shift · (a · Σ q), so the
// quants stay unsigned and the offset costs one fma a block. Products of four k are summed in 16 bits where that
// cannot overflow, and widened once a block.
#pragma once

#include "kernel_types.h"

namespace trustformers::cpu::TRUSTFORMERS_ISA_NAMESPACE {

/// One block of 8 outputs by 32 k with unsigned quants: where its bits lie, and its scales as vectors.
template <int bits_, int scales_, bool symmetric_>
struct BlockView {
  static constexpr int bits = bits_;             // of a quant
  static constexpr int scales = scales_;         // 1: one for 32 k, 2: one for each 16
  static constexpr bool symmetric = symmetric_;  // w = scale · (u - offset) instead of scale · u + shift
  static constexpr float offset = 1 << (bits_ - 1);
  const std::uint8_t* low = nullptr;
  const std::uint8_t* high = nullptr;
  F32 scale[scales_];
  F32 shift;
};

// A format names its panel struct, the k of it, and how to view block `i` of a panel.
struct FormatQ40 {
  using Panel = PanelQ40;
  static constexpr int k = 32;
  static BlockView<4, 1, true> view(const Panel& p, int) { return {p.low, nullptr, {load_f16(p.d)}, zero()}; }
};
struct FormatQ41 {
  using Panel = PanelQ41;
  static constexpr int k = 32;
  static BlockView<4, 1, false> view(const Panel& p, int) { return {p.low, nullptr, {load_f16(p.d)}, load_f16(p.m)}; }
};
struct FormatQ50 {
  using Panel = PanelQ50;
  static constexpr int k = 32;
  static BlockView<5, 1, true> view(const Panel& p, int) { return {p.low, p.high, {load_f16(p.d)}, zero()}; }
};
struct FormatQ51 {
  using Panel = PanelQ51;
  static constexpr int k = 32;
  static BlockView<5, 1, false> view(const Panel& p, int) { return {p.low, p.high, {load_f16(p.d)}, load_f16(p.m)}; }
};
struct FormatQ4K {
  using Panel = PanelQ4K;
  static constexpr int k = 256;
  static BlockView<4, 1, false> view(const Panel& p, int i) {
    const auto& part = p.part[i];
    return {part.low,
            nullptr,
            {load_f16(p.d) * to_f32(load_u8(part.scale))},
            splat(-1) * load_f16(p.dmin) * to_f32(load_u8(part.min))};
  }
};
struct FormatQ5K {
  using Panel = PanelQ5K;
  static constexpr int k = 256;
  static BlockView<5, 1, false> view(const Panel& p, int i) {
    const auto& part = p.part[i];
    return {part.low,
            part.high,
            {load_f16(p.d) * to_f32(load_u8(part.scale))},
            splat(-1) * load_f16(p.dmin) * to_f32(load_u8(part.min))};
  }
};
struct FormatQ6K {
  using Panel = PanelQ6K;
  static constexpr int k = 256;
  static BlockView<6, 2, true> view(const Panel& p, int i) {
    const auto& part = p.part[i];
    const F32 d = load_f16(p.d);
    return {part.low, part.high, {d * to_f32(load_i8(part.scale[0])), d * to_f32(load_i8(part.scale[1]))}, zero()};
  }
};

/// A block of signed bytes with one scale.
struct SignedView {
  const std::int8_t* q;
  F32 scale;
};
struct FormatQ80 {
  using Panel = PanelQ80;
  static constexpr int k = 32;
  static SignedView view(const Panel& p, int) { return {p.q, load_f16(p.d)}; }
};

/// The quants of k = 4 step to 4 step + 3. Bit planes: five-bit formats hold the high bits of step t in bit t of their
/// 32 bytes; six-bit formats hold those of step t in bits 2 (t % 4) of bytes 32 (t / 4) on.
template <int step, class View>
inline Bytes quants(const View& w) {
  const Bytes packed = load_bytes(w.low + 32 * (step % 4));
  const Bytes low = (step < 4 ? packed : shift_bits<-4>(packed)) & splat_byte(15);
  if constexpr (View::bits == 5)
    return low | (shift_bits<4 - step>(load_bytes(w.high)) & splat_byte(16));
  else if constexpr (View::bits == 6)
    return low | (shift_bits<4 - 2 * (step % 4)>(load_bytes(w.high + 32 * (step / 4))) & splat_byte(48));
  else
    return low;
}

/// The weights of k = 4 step to 4 step + 3. The product is exact in float32, so fma rounds as dequantisation does.
template <int step, class View>
inline void weights(const View& w, F32 (&out)[4]) {
  const Bytes u = quants<step>(w);
  const I32 q[4] = {unsigned_byte<0>(u), unsigned_byte<1>(u), unsigned_byte<2>(u), unsigned_byte<3>(u)};
  const F32 scale = w.scale[View::scales == 1 ? 0 : step / 4];
  for (int b = 0; b < 4; ++b) {
    if constexpr (View::symmetric)
      out[b] = scale * (to_f32(q[b]) - splat(View::offset));
    else
      out[b] = fma(scale, to_f32(q[b]), w.shift);
  }
}
template <int step>
inline void weights(const SignedView& w, F32 (&out)[4]) {
  const Bytes q = load_bytes(w.q + 32 * step);
  out[0] = w.scale * to_f32(signed_byte<0>(q)), out[1] = w.scale * to_f32(signed_byte<1>(q));
  out[2] = w.scale * to_f32(signed_byte<2>(q)), out[3] = w.scale * to_f32(signed_byte<3>(q));
}

/// Calls body(k, weights of k to k + 3) for the eight steps of a block.
template <int step = 0, class View, class Body>
inline void for_each_step(const View& w, const Body& body) {
  F32 four[4];
  weights<step>(w, four);
  body(4 * step, four);
  if constexpr (step < 7) for_each_step<step + 1>(w, body);
}

template <class Format>
inline void widen_panel(const std::byte* panel, std::int64_t k0, std::int64_t k, float* out) {
  const auto* blocks = reinterpret_cast<const typename Format::Panel*>(panel);
  for (std::int64_t at = k0; at < k0 + k; at += 32, out += 32 * panel_width)
    for_each_step(Format::view(blocks[at / Format::k], static_cast<int>(at % Format::k / 32)),
                  [&](int step, const F32(&w)[4]) {
                    for (int b = 0; b < 4; ++b) store(out + (step + b) * panel_width, w[b]);
                  });
}

/// One row against P panels: the weights meet the activations in registers.
template <class Format, int P>
inline void vector_panels(const std::byte* panels, std::int64_t panel_bytes, std::int64_t k, const float* x, float* y) {
  F32 acc[P];
  for (int p = 0; p < P; ++p) acc[p] = zero();
  for (std::int64_t at = 0; at < k; at += 32, x += 32)
#pragma GCC unroll 2
    for (int p = 0; p < P; ++p) {
      const auto* blocks = reinterpret_cast<const typename Format::Panel*>(panels + p * panel_bytes);
      for_each_step(Format::view(blocks[at / Format::k], static_cast<int>(at % Format::k / 32)),
                    [&](int step, const F32(&w)[4]) {
                      for (int b = 0; b < 4; ++b) acc[p] = fma(splat(x[step + b]), w[b], acc[p]);
                    });
    }
  for (int p = 0; p < P; ++p) store(y + p * lanes, acc[p]);
}

template <class Format>
inline void quantized_vector(const std::byte* panels, std::int64_t panel_bytes, std::int64_t count, std::int64_t k,
                             const float* x, float* y) {
  for (; count >= 2; count -= 2, panels += 2 * panel_bytes, y += 2 * lanes)
    vector_panels<Format, 2>(panels, panel_bytes, k, x, y);
  if (count > 0) vector_panels<Format, 1>(panels, panel_bytes, k, x, y);
}

/// One step of four k for R rows.
template <int step, int R, class View>
inline void dot_step(const View& w, const ActivationBlock* x, std::int64_t x_stride, UnsignedDot (&dot)[R]) {
  const Bytes u = quants<step>(w);
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) dot[r].add(u, splat_4_bytes(x[r * x_stride].q + 4 * step));
}

/// Σ u q of the steps `first` to `last` - 1 for R rows; the dots are emptied before 16-bit sums could overflow.
template <int first, int last, int R, class View>
inline void dot_steps(const View& w, const ActivationBlock* x, std::int64_t x_stride, I32 (&total)[R]) {
  constexpr int most = UnsignedDot::narrow ? 8 >> (View::bits - 4) : 8;
  constexpr int count = last - first < most ? last - first : most;
  UnsignedDot dot[R];
  dot_step<first>(w, x, x_stride, dot);
  if constexpr (count > 1) dot_step<first + 1>(w, x, x_stride, dot);
  if constexpr (count > 2) dot_step<first + 2>(w, x, x_stride, dot), dot_step<first + 3>(w, x, x_stride, dot);
  if constexpr (count > 4) {
    dot_step<first + 4>(w, x, x_stride, dot), dot_step<first + 5>(w, x, x_stride, dot);
    dot_step<first + 6>(w, x, x_stride, dot), dot_step<first + 7>(w, x, x_stride, dot);
  }
  if constexpr (first + count < last) {
    dot_steps<first + count, last>(w, x, x_stride, total);
    for (int r = 0; r < R; ++r) total[r] = total[r] + dot[r].sum();
  } else {
    for (int r = 0; r < R; ++r) total[r] = dot[r].sum();
  }
}

/// Adds one block of 32 k to R rows of sums; rows of x are `x_stride` blocks apart.
template <int R, class View>
inline void add_block(const View& w, const ActivationBlock* x, std::int64_t x_stride, F32 (&acc)[R]) {
  I32 total[R];
  if constexpr (View::scales == 2) {
    static_assert(View::symmetric);
    dot_steps<0, 4>(w, x, x_stride, total);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const ActivationBlock& a = x[r * x_stride];
      const F32 centred = fma(to_f32(total[r]), splat(a.scale), splat(-View::offset * a.half_sum[0]));
      acc[r] = fma(w.scale[0], centred, acc[r]);
    }
    dot_steps<4, 8>(w, x, x_stride, total);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const ActivationBlock& a = x[r * x_stride];
      const F32 centred = fma(to_f32(total[r]), splat(a.scale), splat(-View::offset * a.half_sum[1]));
      acc[r] = fma(w.scale[1], centred, acc[r]);
    }
  } else {
    dot_steps<0, 8>(w, x, x_stride, total);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const ActivationBlock& a = x[r * x_stride];
      if constexpr (View::symmetric) {
        const F32 centred = fma(to_f32(total[r]), splat(a.scale), splat(-View::offset * a.sum));
        acc[r] = fma(w.scale[0], centred, acc[r]);
      } else {
        acc[r] = fma(w.scale[0], to_f32(total[r]) * splat(a.scale), fma(w.shift, splat(a.sum), acc[r]));
      }
    }
  }
}

template <int R>
inline void add_block(const SignedView& w, const ActivationBlock* x, std::int64_t x_stride, F32 (&acc)[R]) {
  SignedDot dot[R];
#pragma GCC unroll 8
  for (int j = 0; j < 8; ++j) {
    const Bytes q = load_bytes(w.q + 32 * j);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) dot[r].add(q, splat_4_bytes(x[r * x_stride].q + 4 * j));
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) acc[r] = fma(w.scale, to_f32(dot[r].sum()) * splat(x[r * x_stride].scale), acc[r]);
}

template <class Format, int R>
inline void multiply_rows(const std::byte* panel, std::int64_t blocks, const ActivationBlock* x, float* y,
                          std::int64_t y_stride) {
  const auto* w = reinterpret_cast<const typename Format::Panel*>(panel);
  F32 acc[R];
  for (int r = 0; r < R; ++r) acc[r] = zero();
  for (std::int64_t b = 0; b < blocks; b += Format::k / 32, ++w)
    for (int i = 0; i < Format::k / 32; ++i) {
      if constexpr (R == 1) {
        // Decoding streams the weights once: ask for them some blocks ahead.
        constexpr int part = sizeof(*w) * 32 / Format::k;
        const auto* ahead = reinterpret_cast<const std::byte*>(w) + part * i + 1536;
        for (int line = 0; line < part; line += 64) prefetch(ahead + line);
      }
      add_block<R>(Format::view(*w, i), x + b + i, blocks, acc);
    }
  for (int r = 0; r < R; ++r) store(y + r * y_stride, acc[r]);
}

template <class Format>
inline void multiply_panel(const std::byte* panel, std::int64_t blocks, const ActivationBlock* x, std::int64_t rows,
                           float* y, std::int64_t y_stride) {
  std::int64_t r = 0;
  for (; r + 4 <= rows; r += 4) multiply_rows<Format, 4>(panel, blocks, x + r * blocks, y + r * y_stride, y_stride);
  x += r * blocks;
  y += r * y_stride;
  switch (rows - r) {
    case 1: return multiply_rows<Format, 1>(panel, blocks, x, y, y_stride);
    case 2: return multiply_rows<Format, 2>(panel, blocks, x, y, y_stride);
    case 3: return multiply_rows<Format, 3>(panel, blocks, x, y, y_stride);
    default: return;
  }
}

inline void quantize_row(const float* x, std::int64_t blocks, ActivationBlock* out) {
  for (std::int64_t b = 0; b < blocks; ++b, x += 32, ++out) {
    const F32 v[4] = {load(x), load(x + 8), load(x + 16), load(x + 24)};
    const F32 greatest = max(max(abs(v[0]), abs(v[1])), max(abs(v[2]), abs(v[3])));
    // Zero unless a value is NaN or infinite; max() alone may lose a NaN.
    const float strange = sum(fma(v[0], zero(), fma(v[1], zero(), fma(v[2], zero(), v[3] * zero()))));
    const float scale = max_lane(greatest) * (1.0f / 127.0f) + strange;
    // Blocks too small for a normal scale count as zero.
    const bool usable = scale >= 1.2e-38f;
    const F32 inverse = splat(usable ? 1.0f / scale : 0.0f);
    const I32 q[4] = {round_to_i32(v[0] * inverse), round_to_i32(v[1] * inverse), round_to_i32(v[2] * inverse),
                      round_to_i32(v[3] * inverse)};
    store_i8(out->q, q[0], q[1], q[2], q[3]);
    out->scale = usable || scale != scale ? scale : 0.0f;
    const std::int32_t first = sum(q[0] + q[1]), second = sum(q[2] + q[3]);
    out->half_sum[0] = out->scale * static_cast<float>(first);
    out->half_sum[1] = out->scale * static_cast<float>(second);
    out->sum = out->scale * static_cast<float>(first + second);
  }
}

template <class Format>
inline QuantizedKernels kernels_of() {
  return {widen_panel<Format>, quantized_vector<Format>, multiply_panel<Format>};
}

inline QuantizedKernels quantized(DType dtype) {
  switch (dtype) {
    case DType::q4_0: return kernels_of<FormatQ40>();
    case DType::q4_1: return kernels_of<FormatQ41>();
    case DType::q5_0: return kernels_of<FormatQ50>();
    case DType::q5_1: return kernels_of<FormatQ51>();
    case DType::q8_0: return kernels_of<FormatQ80>();
    case DType::q4_k: return kernels_of<FormatQ4K>();
    case DType::q5_k: return kernels_of<FormatQ5K>();
    case DType::q6_k: return kernels_of<FormatQ6K>();
    default: return {};
  }
}

}  // namespace trustformers::cpu::TRUSTFORMERS_ISA_NAMESPACE
