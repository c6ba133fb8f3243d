// Where weights come from: named tensors that are known from headers alone and read when asked for.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "../tensor/tensor.h"

namespace trustformers {

/// How elements lie in a file. All but `native` are types that DType lacks; load() converts them.
enum class ElementEncoding : std::uint8_t {
  native,   // as `dtype` says
  i16,      // to i32
  u16,      // to i32
  u32,      // to i64
  u64,      // to i64; values of 2^63 and above are an error
  f8_e4m3,  // to f32; finite values and NaN (OCP FP8)
  f8_e5m2,  // to f32
  f8_e8m0,  // to f32; powers of two and NaN
  c64,      // to f32 with a last dimension of 2: real and imaginary part
  opaque    // can be listed, not loaded
};

/// A tensor of a source, as its header describes it.
struct TensorEntry {
  std::string name;
  DType dtype = DType::f32;  // what load() gives
  Shape shape;               // what load() gives, outermost dimension first
  ElementEncoding encoding = ElementEncoding::native;
  std::string_view stored;   // the type's name in the file format: "BF16", "Q4_K"; static text
  std::uint32_t file = 0;    // which file of the source
  std::uint64_t offset = 0;  // of the data in that file
  std::uint64_t bytes = 0;
};

/// Named tensors. Opening one reads headers only; threads may call const members at the same time.
class WeightSource {
 public:
  virtual ~WeightSource() = default;

  /// All tensors, in the order of the files.
  virtual std::span<const TensorEntry> entries() const = 0;
  /// The entry of that name, or nullptr.
  virtual const TensorEntry* find(std::string_view name) const = 0;
  /// The tensor, on the CPU and read-only: a view of the mapped file where the encoding is native and the data aligned,
  /// else a converted copy. The tensor keeps the mapping alive. Errors: not_found, unsupported, out_of_range (u64).
  virtual Tensor load(std::string_view name) const = 0;
  /// Tells the system that the tensor's pages are not needed soon: call it once a packed copy exists. Views stay valid.
  virtual void release(std::string_view name) const = 0;
  /// The file that holds the tensor (the whole source for an unknown name), for messages.
  virtual std::string location(std::string_view name) const = 0;
  /// What was opened, for messages: a path.
  virtual std::string describe() const = 0;
};

/// A name from a file, quoted and shortened for messages.
std::string quote_name(std::string_view name);

}  // namespace trustformers
