#pragma once

#include <string>

namespace mosaic {

/// How the network multiplies matrices. bfloat16: the operands of its linear layers and of the products of
/// local and selected attention are rounded to bfloat16 and multiplied with float32 sums; the weights are
/// kept rounded. A linear layer's product is rounded once more where the library gives bfloat16 only.
/// Everything else stays float32: residual stream, norms, softmaxes, rotary embedding, block means and
/// selection scores, gates, compressed branch, interpolation scores, noise, the last linear layer,
/// normalisation, states. float16: on GPUs, residual stream included.
enum class Precision { float32, bfloat16, float16 };

std::string to_string(Precision precision);

/// Errors: bad_configuration for a name other than float32, bfloat16 and float16.
Precision parse_precision(const std::string& name);

}  // namespace mosaic
