#pragma once

#include "eval/climatology.hpp"
#include "eval/climatology_output.hpp"
#include "eval/climatology_times.hpp"
#include "stores/field_store.hpp"

namespace mosaic::eval {

/// The times of the store that the request is for. Errors: missing_input naming the first that are not there,
/// unless the request allows that; bad_configuration for a period that ends before it begins.
ClimatologyTimes chosen_times(const ClimatologyRequest& request, const FieldStore& store);

/// What the climatology of the store is to hold, channels in the order of the store. Errors: missing_input
/// naming variables and channels that are not there; bad_configuration for variables with different levels.
ClimatologyContents chosen_contents(const ClimatologyRequest& request, const FieldStore& store,
                                    const ClimatologyTimes& times);

}  // namespace mosaic::eval
