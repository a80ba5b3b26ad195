#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "stores/tensor_file.hpp"

namespace mosaic::test {

/// The little-endian bytes of a number.
template <class T>
std::string bytes_of(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(T)};
}

template <class T>
std::string bytes_of_all(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

/// Writes `bytes` to `path` and returns the path.
std::string write_bytes(const std::filesystem::path& path, const std::string& bytes);

/// A safetensors file: length, header, data.
std::string safetensors_bytes(const std::string& header, const std::string& data);

/// An NPY array; `shape` in Python's notation, e.g. "(2, 3)".
std::string npy_bytes(const std::string& descr, const std::string& shape, const std::string& data,
                      bool fortran_order = false, int version = 1);

enum class ZipKind { stored, deflated, zip64 };

struct ZipItem {
  std::string name;
  std::string data;
};

std::string zip_bytes(const std::vector<ZipItem>& items, ZipKind kind = ZipKind::stored);

/// The error that opening `path` raises, as text; fails the test if there is none or if it is not
/// corrupt_input naming the file.
std::string open_error(const std::string& path);

/// `bytes` with a few of its bytes changed, removed, repeated or cut off; the same for the same seed.
std::string mutate(std::string bytes, std::uint32_t seed);

/// Opens the file and reads every tensor. True if that worked, false if it was refused with corrupt_input
/// naming the file; anything else fails the test.
bool opens_or_is_refused(const std::string& path);

/// How many of the files make(0) ... make(files - 1), each written to `path`, are refused. Checks each as
/// opens_or_is_refused() does.
int count_refused(const std::filesystem::path& path, std::uint32_t files,
                  const std::function<std::string(std::uint32_t seed)>& make);

}  // namespace mosaic::test
