// A program of somebody else's that uses an installed trustformers. Exit status 0: it compiled, linked and behaves.
#include <trustformers/trustformers.h>

#include <iostream>

int main() {
  using namespace trustformers;
  if (byte_size(DType::f32, 6) != 24) return 1;
  // A typed error must cross the boundary of a shared library as itself.
  try {
    byte_size(DType::q4_0, 33);
  } catch (const Error& error) {
    std::cout << error.what() << '\n';
    return error.code() == ErrorCode::shape_mismatch ? 0 : 2;
  }
  return 3;
}
