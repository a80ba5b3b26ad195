#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace mosaic {

/// A scalar as it was written.
struct ConfigScalar {
  std::string text;
  bool quoted = false;
  bool null = false;
};

/// A value as it was written: one scalar, or a list of them.
struct ConfigValue {
  bool is_list = false;
  std::vector<ConfigScalar> items;
};

/// Conversions between a C++ type and what is written in a configuration. For each supported T:
///   name()          the type in the reader's words
///   parse(scalar)   throws Error(bad_configuration) saying what was written and how to write it
///   print(value)    YAML that parse() turns into the same value
///   number(value)   what a range applies to; nothing if none can
template <class T>
struct ConfigType;

template <>
struct ConfigType<bool> {
  static std::string name() { return "true or false"; }
  static bool parse(const ConfigScalar& scalar);
  static std::string print(bool value) { return value ? "true" : "false"; }
  static std::optional<double> number(bool) { return {}; }
};

template <>
struct ConfigType<std::int64_t> {
  static std::string name() { return "whole number"; }
  static std::int64_t parse(const ConfigScalar& scalar);
  static std::string print(std::int64_t value) { return std::to_string(value); }
  static std::optional<double> number(std::int64_t value) { return static_cast<double>(value); }
};

template <>
struct ConfigType<int> {
  static std::string name() { return "whole number"; }
  static int parse(const ConfigScalar& scalar);
  static std::string print(int value) { return std::to_string(value); }
  static std::optional<double> number(int value) { return value; }
};

template <>
struct ConfigType<double> {
  static std::string name() { return "number"; }
  static double parse(const ConfigScalar& scalar);
  static std::string print(double value);
  static std::optional<double> number(double value) { return value; }
};

template <>
struct ConfigType<std::string> {
  static std::string name() { return "text"; }
  static std::string parse(const ConfigScalar& scalar);
  static std::string print(const std::string& value);
  static std::optional<double> number(const std::string&) { return {}; }
};

template <>
struct ConfigType<Duration> {
  static std::string name() { return "duration"; }
  static Duration parse(const ConfigScalar& scalar) { return parse_duration(scalar.text); }
  static std::string print(Duration value) { return to_string(value); }
  static std::optional<double> number(Duration value) { return static_cast<double>(value.seconds); }
};

template <>
struct ConfigType<Time> {
  static std::string name() { return "UTC time"; }
  static Time parse(const ConfigScalar& scalar) { return parse_time(scalar.text); }
  static std::string print(Time value) { return to_string(value); }
  static std::optional<double> number(Time) { return {}; }
};

}  // namespace mosaic
