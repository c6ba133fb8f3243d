// How alike sentences are: example_embed MODEL
#include <iostream>

#include <trustformers/trustformers.h>

using namespace trustformers;

int main(int argc, char** argv) try {
  const auto encoder = SentenceTransformer::from_pretrained(argc > 1 ? argv[1] : "minilm");
  const Tensor vectors =
      encoder.encode({"A cat sits on the mat.", "A kitten rests on a rug.", "Stocks fell on Friday."});
  const Tensor cosines = SentenceTransformer::similarity(vectors, vectors);  // [3, 3]
  const std::vector<float> values = cosines.to_vector<float>();
  std::cout << "cat and kitten " << values[1] << "\n"
            << "cat and stocks " << values[2] << "\n";
  return values[1] > values[2] ? 0 : 1;
} catch (const Error& error) {
  std::cerr << error.what() << "\n";
  return 1;
}
