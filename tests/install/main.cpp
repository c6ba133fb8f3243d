// A program of somebody else's that uses an installed trustformers. Exit status 0: it compiled, linked and behaves.
#include <trustformers/trustformers.h>

#include <iostream>

int main() {
  using namespace trustformers;
  Tensor x = Tensor::from<float>({1, 2, 3}, {3});
  x.set_requires_grad(true);
  sum(x * x).backward();
  if (x.grad().to_vector<float>() != std::vector<float>{2, 4, 6}) return 1;

  // A typed error must cross the boundary of a shared library as itself.
  try {
    AutoModel::from_pretrained("no/such-model");
  } catch (const Error& error) {
    std::cout << error.what() << '\n';
    return error.code() == ErrorCode::not_found ? 0 : 2;
  }
  return 3;
}
