#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace mosaic::kernels {

/// Which implementation of an operation runs. `reference` is the definition and always there; the others may
/// be left out of a build.
enum class Backend { reference, cpu, cuda };

std::string to_string(Backend backend);

/// Errors: bad_configuration naming the operation and the backends that are there, if `asked` is not one.
void require_backend(std::string_view operation, Backend asked, std::initializer_list<Backend> there);

}  // namespace mosaic::kernels
