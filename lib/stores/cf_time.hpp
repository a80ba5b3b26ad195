#pragma once

#include <string>
#include <vector>

#include "base/time.hpp"

namespace mosaic {

/// Times from a CF time coordinate: `units` is "<unit> since <date>[ <clock>]" with a unit as for
/// decode_leads(), `calendar` is empty, standard, gregorian or proleptic_gregorian. Values are rounded to
/// whole seconds. `where` names file and variable in messages. Errors: corrupt_input for other units or
/// calendars, and for values that are not finite or outside the years 1 ... 9999.
std::vector<Time> decode_cf_times(const std::vector<double>& values, const std::string& units,
                                  const std::string& calendar, const std::string& where);

/// Lengths of time from a lead time coordinate: `units` is seconds, minutes, hours, days, milliseconds,
/// microseconds or nanoseconds, or one of their short forms. Without units the values are nanoseconds (what
/// raw timedelta64 is), provided that they are whole seconds. Errors: corrupt_input for other units, for
/// values that are no whole seconds, negative or above 10 years.
std::vector<Duration> decode_leads(const std::vector<double>& values, const std::string& units,
                                   const std::string& where);

}  // namespace mosaic
