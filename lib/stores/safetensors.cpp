#include "stores/safetensors.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/files.hpp"
#include "stores/tensor_table.hpp"

namespace mosaic {

namespace {

constexpr std::uint64_t max_header_bytes = 100'000'000;
constexpr int max_header_depth = 4;

constexpr std::pair<TensorType, const char*> type_names[] = {
    {TensorType::float16, "F16"}, {TensorType::bfloat16, "BF16"}, {TensorType::float32, "F32"},
    {TensorType::float64, "F64"}, {TensorType::int8, "I8"},       {TensorType::uint8, "U8"},
    {TensorType::int16, "I16"},   {TensorType::int32, "I32"},     {TensorType::int64, "I64"},
    {TensorType::boolean, "BOOL"}};

const char* header_name(TensorType type) {
  return std::ranges::find(type_names, type, &std::pair<TensorType, const char*>::first)->second;
}

/// The JSON object; nesting is bounded and names may not repeat.
nlohmann::json parse_header(const std::string& path, std::string_view text) {
  std::set<std::string> names;
  const auto check = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    require(depth <= max_header_depth, ExitCode::corrupt_input, "{}: header: nested deeper than {} levels",
            path, max_header_depth);
    if (depth == 1 && event == nlohmann::json::parse_event_t::key) {
      const auto name = parsed.get<std::string>();
      require(names.insert(name).second, ExitCode::corrupt_input, "{}: entry {}: the name occurs twice", path,
              name);
    }
    return true;
  };
  // The parser takes a zero for the end of the text.
  require(text.find('\0') == std::string_view::npos, ExitCode::corrupt_input,
          "{}: header: is not valid JSON: it holds a zero byte", path);
  try {
    auto header = nlohmann::json::parse(text, check);
    require(header.is_object(), ExitCode::corrupt_input, "{}: header: is not a JSON object", path);
    return header;
  } catch (const nlohmann::json::exception& error) {
    fail(ExitCode::corrupt_input, "{}: header: is not valid JSON: {}", path, error.what());
  }
}

std::vector<std::int64_t> unsigned_list(const std::string& path, const std::string& name,
                                        const nlohmann::json& entry, const char* key) {
  const auto found = entry.find(key);
  require(found != entry.end() && found->is_array(), ExitCode::corrupt_input,
          "{}: entry {}: {} is not a list", path, name, key);
  std::vector<std::int64_t> values;
  for (const auto& item : *found) {
    require(item.is_number_unsigned() && item.get<std::uint64_t>() <= INT64_MAX, ExitCode::corrupt_input,
            "{}: entry {}: {} has an item that is not a whole number >= 0", path, name, key);
    values.push_back(item.get<std::int64_t>());
  }
  return values;
}

TensorType parse_type(const std::string& path, const std::string& name, const nlohmann::json& entry) {
  const auto found = entry.find("dtype");
  require(found != entry.end() && found->is_string(), ExitCode::corrupt_input,
          "{}: entry {}: dtype is absent", path, name);
  const auto text = found->get<std::string>();
  for (const auto& [type, known] : type_names) {
    if (text == known) {
      return type;
    }
  }
  fail(ExitCode::corrupt_input, "{}: entry {}: dtype {} is not supported", path, name, text);
}

TensorView parse_entry(const std::string& path, const std::string& name, const nlohmann::json& entry,
                       std::span<const std::byte> data) {
  require(entry.is_object(), ExitCode::corrupt_input, "{}: entry {}: is not a JSON object", path, name);
  TensorView view{parse_type(path, name, entry), unsigned_list(path, name, entry, "shape"), {}};
  const auto offsets = unsigned_list(path, name, entry, "data_offsets");
  require(offsets.size() == 2 && offsets[0] <= offsets[1], ExitCode::corrupt_input,
          "{}: entry {}: data_offsets are not [begin, end]", path, name);
  const auto begin = static_cast<std::size_t>(offsets[0]);
  const auto end = static_cast<std::size_t>(offsets[1]);
  require(end <= data.size(), ExitCode::corrupt_input,
          "{}: entry {}: its data end at {}, but the file has only {} data bytes; it may be truncated", path,
          name, end, data.size());
  const auto expected = tensor_bytes(view.type, view.shape);
  require(expected == end - begin, ExitCode::corrupt_input,
          "{}: entry {}: shape and dtype do not fit its {} data bytes", path, name, end - begin);
  view.bytes = data.subspan(begin, end - begin);
  return view;
}

void read_metadata(const nlohmann::json& entry, TensorTable& table) {
  require(entry.is_object(), ExitCode::corrupt_input, "{}: __metadata__ is not a JSON object", table.path());
  for (const auto& [key, value] : entry.items()) {
    require(value.is_string(), ExitCode::corrupt_input, "{}: __metadata__ {}: is not text", table.path(),
            key);
    table.set_metadata(key, value.get<std::string>());
  }
}

/// The data of all entries follow each other from the first byte to the last, as the format demands: a
/// changed length of the header would shift every tensor otherwise.
void require_complete_cover(const TensorTable& table, std::span<const std::byte> data) {
  std::vector<std::pair<std::span<const std::byte>, std::string>> ranges;
  for (const auto& [name, view] : table.tensors()) {
    if (!view.bytes.empty()) {
      ranges.emplace_back(view.bytes, name);
    }
  }
  std::ranges::sort(ranges, {}, [](const auto& range) { return range.first.data(); });
  const std::byte* end = data.data();
  std::string before = "the header";
  for (const auto& [bytes, name] : ranges) {
    require(bytes.data() >= end, ExitCode::corrupt_input, "{}: entries {} and {}: their data overlap",
            table.path(), before, name);
    require(bytes.data() == end, ExitCode::corrupt_input,
            "{}: {} bytes between {} and entry {} belong to no entry", table.path(), bytes.data() - end,
            before, name);
    end = bytes.data() + bytes.size();
    before = name;
  }
  require(end == data.data() + data.size(), ExitCode::corrupt_input,
          "{}: {} bytes after the last entry belong to no entry", table.path(),
          data.data() + data.size() - end);
}

}  // namespace

std::unique_ptr<TensorFile> read_safetensors(const std::shared_ptr<const MappedFile>& file) {
  auto table = std::make_unique<TensorTable>(file);
  const std::string& path = file->path();
  const auto bytes = file->bytes();
  require(bytes.size() >= 8, ExitCode::corrupt_input, "{}: header: the file has only {} bytes", path,
          bytes.size());
  const auto header_bytes = load_little<std::uint64_t>(bytes, 0);
  require(header_bytes <= max_header_bytes && header_bytes <= bytes.size() - 8, ExitCode::corrupt_input,
          "{}: header: states {} bytes, but the file has {} after the length (limit {})", path, header_bytes,
          bytes.size() - 8, max_header_bytes);
  const auto header = parse_header(path, as_text(bytes.subspan(8, header_bytes)));
  const auto data = bytes.subspan(8 + header_bytes);
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") {
      read_metadata(entry, *table);
    } else {
      table->add(name, parse_entry(path, name, entry, data));
    }
  }
  require_complete_cover(*table, data);
  return table;
}

void write_safetensors(const std::string& path, const std::map<std::string, TensorSource>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  // Widest items first: every tensor is then aligned to its item without gaps.
  std::vector<std::pair<std::string, TensorSource>> ordered(tensors.begin(), tensors.end());
  std::ranges::stable_sort(ordered, std::greater{},
                           [](const auto& item) { return item_size(item.second.type); });

  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) {
    header["__metadata__"] = metadata;
  }
  std::size_t position = 0;
  for (const auto& [name, source] : ordered) {
    require(tensor_bytes(source.type, source.shape) == source.bytes.size(),
            "{}: entry {}: shape does not fit {} bytes", path, name, source.bytes.size());
    header[name] = {{"dtype", header_name(source.type)},
                    {"shape", source.shape},
                    {"data_offsets", {position, position + source.bytes.size()}}};
    position += source.bytes.size();
  }
  std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t length = text.size();

  write_file_atomically(path, [&](const std::string& temporary) {
    std::ofstream out(temporary, std::ios::binary);
    require(out.good(), ExitCode::cannot_create, "{}: cannot create: {}", path, std::strerror(errno));
    out.write(reinterpret_cast<const char*>(&length), sizeof(length));
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    for (const auto& [name, source] : ordered) {
      out.write(reinterpret_cast<const char*>(source.bytes.data()),
                static_cast<std::streamsize>(source.bytes.size()));
    }
    out.close();
    require(out.good(), ExitCode::io_error, "{}: write failed: {}", path, std::strerror(errno));
  });
}

}  // namespace mosaic
