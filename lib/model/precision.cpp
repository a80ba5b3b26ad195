#include "model/precision.hpp"

#include "base/error.hpp"

namespace mosaic {

std::string to_string(Precision precision) {
  return precision == Precision::float32    ? "float32"
         : precision == Precision::bfloat16 ? "bfloat16"
                                            : "float16";
}

Precision parse_precision(const std::string& name) {
  for (const Precision precision : {Precision::float32, Precision::bfloat16, Precision::float16}) {
    if (name == to_string(precision)) {
      return precision;
    }
  }
  fail(ExitCode::bad_configuration, "precision '{}' is none of float32, bfloat16 and float16", name);
}

}  // namespace mosaic
