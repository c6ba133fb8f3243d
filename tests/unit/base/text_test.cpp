#include "base/text.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>

#include "tensor/shape.h"

namespace trustformers {
namespace {

TEST_CASE("base: parts of every type become one text") {
  const std::string name = "name";
  const char* pointer = "pointer";
  CHECK(str("a ", name, ' ', std::string_view("view"), ' ', pointer) == "a name view pointer");
  CHECK(str(-1, ' ', std::size_t{7}, ' ', std::numeric_limits<std::int64_t>::min(), ' ',
            std::numeric_limits<std::uint64_t>::max()) == "-1 7 -9223372036854775808 18446744073709551615");
  CHECK(str(0.1f, ' ', 1e-7, ' ', 2.0, ' ', 1234567.0) == "0.1 1e-07 2 1.23457e+06");
  CHECK(str(Shape{2, 3}, ';', Shape{}) == "[2, 3];[]");
}

}  // namespace
}  // namespace trustformers
