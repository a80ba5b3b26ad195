#include "kernels/backend.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace mosaic::kernels {

std::string to_string(Backend backend) {
  switch (backend) {
    case Backend::reference:
      return "reference";
    case Backend::cpu:
      return "cpu";
    case Backend::cuda:
      return "cuda";
  }
  fail(ExitCode::internal, "backend {} has no name", static_cast<int>(backend));
}

void require_backend(std::string_view operation, Backend asked, std::initializer_list<Backend> there) {
  if (std::find(there.begin(), there.end(), asked) != there.end()) {
    return;
  }
  std::string names;
  for (const Backend backend : there) {
    names += (names.empty() ? "" : ", ") + to_string(backend);
  }
  fail(ExitCode::bad_configuration, "{}: backend {} is not in this build; there are: {}", operation,
       to_string(asked), names);
}

}  // namespace mosaic::kernels
