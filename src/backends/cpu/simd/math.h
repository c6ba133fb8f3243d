// Elementary functions over the SIMD vocabulary; included once per ISA after its vector_*.h.
// Errors are against the exact function, in units of the last place (ulp), measured by the tests.
#pragma once

#include <cstdint>

namespace trustformers::cpu::TRUSTFORMERS_ISA_NAMESPACE {

/// 2^n for n in [-126, 127].
inline F32 power_of_two(I32 n) { return as_f32(shift_left<23>(n + splat_i32(127))); }

/// e^x within 2 ulp; 0 below the smallest subnormal, infinity above the greatest float, NaN for NaN.
inline F32 exp(F32 x) {
  // The operand order of min and max lets NaN through.
  x = min(splat(89.0f), x);
  x = max(splat(-104.0f), x);
  const I32 n = round_to_i32(x * splat(1.44269504f));
  // ln 2 in two parts, the first so short that n times it is exact.
  F32 r = fma(to_f32(n), splat(-0.693359375f), x);
  r = fma(to_f32(n), splat(2.12194440e-4f), r);
  // e^r = 1 + r + r² P(r) for |r| < ln 2 / 2; minimax coefficients of Cephes' expf.
  F32 p = splat(1.9875691500e-4f);
  p = fma(p, r, splat(1.3981999507e-3f));
  p = fma(p, r, splat(8.3334519073e-3f));
  p = fma(p, r, splat(4.1665795894e-2f));
  p = fma(p, r, splat(1.6666665459e-1f));
  p = fma(p, r, splat(5.0000001201e-1f));
  p = fma(p * r, r, r) + splat(1.0f);
  // In two steps, because the powers for subnormals and for the greatest floats are not floats themselves.
  const I32 half = shift_right<1>(n);
  return p * power_of_two(half) * power_of_two(n - half);
}

/// 1 / (1 + e^-x)
inline F32 sigmoid(F32 x) { return splat(1) / (splat(1) + exp(zero() - x)); }

/// tanh x within 3 ulp.
inline F32 tanh(F32 x) {
  const F32 a = abs(x);
  // 1 - 2 / (e^2a + 1) loses its digits near zero, where an odd polynomial takes over.
  const F32 outer = splat(1) - splat(2) / (exp(a + a) + splat(1));
  const F32 s = x * x;  // coefficients of Cephes' tanhf
  F32 p = splat(-5.70498872745e-3f);
  p = fma(p, s, splat(2.06390887954e-2f));
  p = fma(p, s, splat(-5.37397155531e-2f));
  p = fma(p, s, splat(1.33314422036e-1f));
  p = fma(p, s, splat(-3.33332819422e-1f));
  const F32 inner = fma(p * s, a, a);
  return copy_sign(select(a < splat(0.625f), inner, outer), x);
}

/// The normal distribution Φ(x) = erfc(-x / √2) / 2, relative error below 5e-7 near zero, growing with the exponent x²
/// / 2 of the lower tail.
inline F32 normal_cdf(F32 x) {
  // Beyond 14 √2 both tails are 0 and 1 in float32.
  const F32 z = min(splat(14), abs(x) * splat(0.70710678f));
  const F32 t = splat(1) / fma(splat(0.5f), z, splat(1));
  // erfc(z) = t e^(-z² + P(t)), P fitted by Chebyshev polynomials (Press et al., Numerical Recipes, erfcc).
  F32 p = splat(0.17087277f);
  p = fma(p, t, splat(-0.82215223f));
  p = fma(p, t, splat(1.48851587f));
  p = fma(p, t, splat(-1.13520398f));
  p = fma(p, t, splat(0.27886807f));
  p = fma(p, t, splat(-0.18628806f));
  p = fma(p, t, splat(0.09678418f));
  p = fma(p, t, splat(0.37409196f));
  p = fma(p, t, splat(1.00002368f));
  p = fma(p, t, splat(-1.26551223f));
  const F32 half = splat(0.5f) * t * exp(p - z * z);
  return select(x < zero(), half, splat(1) - half);
}

}  // namespace trustformers::cpu::TRUSTFORMERS_ISA_NAMESPACE
