#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace mosaic {

/// Calls `write` with the name of a temporary file in the folder of `path`, then fsyncs it, renames it to
/// `path` and fsyncs the folder: a reader sees the old file or the whole new one. The temporary is removed
/// when anything throws. Temporary names end in ".tmp<pid>". Errors: cannot_create, io_error (naming the
/// file, the system's reason).
void write_file_atomically(const std::string& path,
                           const std::function<void(const std::string& temporary)>& write);

/// A whole file, at once; nothing is synchronised. Errors: cannot_create, io_error.
void write_text(const std::string& path, std::string_view text);

/// write_file_atomically() for text.
void write_text_atomically(const std::string& path, std::string_view text);

/// The same without fsync, for many small files: whole also after the process was killed. What is to survive
/// a crash of the machine needs a sync_file_system() after it.
void write_text_unsynced(const std::string& path, std::string_view text);

/// Brings everything that was written to the file system of a folder to its disk. Errors: io_error.
void sync_file_system(const std::string& folder);

/// write_text_atomically(), but leaves a file that is there as it is, also one that another process writes
/// meanwhile.
void write_text_if_absent(const std::string& path, std::string_view text);

/// Creates a file that must not exist. False, and nothing done, if it does. Errors: cannot_create, io_error.
bool create_text_exclusively(const std::string& path, std::string_view text);

/// Creates the folder and those above it. Errors: cannot_create.
void create_folder(const std::string& path);

/// When a file was last written, by the file system's clock [s since 1970]; nothing if it is not there.
std::optional<double> time_of_file(const std::string& path);

/// Errors: missing_input, io_error.
std::string read_text(const std::string& path);

/// SHA-256, lower-case hex.
std::string sha256_of_text(std::string_view bytes);
/// Reads the file in pieces. Errors: missing_input, io_error.
std::string sha256_of_file(const std::string& path);

}  // namespace mosaic
