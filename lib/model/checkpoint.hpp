#pragma once

#include <map>
#include <optional>
#include <string>

#include "model/network_file.hpp"
#include "stores/convert.hpp"
#include "stores/tensor_file.hpp"

namespace mosaic {

/// Errors: corrupt_input listing every parameter of the network that is missing, every unknown name (known
/// buffers of model.md section 6 aside) and every misfitting shape.
void check_parameters(const NetworkConfig& config, const TensorFile& checkpoint);

/// The network that the metadata of a checkpoint states; nothing if they state none. Errors: corrupt_input.
std::optional<NetworkDescription> stored_description(const TensorFile& checkpoint);

/// Errors: bad_configuration if the metadata of the checkpoint state another network.
void check_stored_description(const TensorFile& checkpoint, const NetworkDescription& expected);

/// Writes a checkpoint as safetensors that says which network it holds: its tensors, the network file as
/// metadata, and the tables of `neighbours` (.npz with to_hp and to_ll; empty = none) unless it has its own.
/// Errors: those of check_parameters, check_stored_description and convert_to_safetensors; corrupt_input if
/// the tables do not fit the network.
Conversion convert_checkpoint(const std::string& from, const std::string& to,
                              const NetworkDescription& description, const std::string& neighbours,
                              const std::map<std::string, std::string>& metadata);

}  // namespace mosaic
