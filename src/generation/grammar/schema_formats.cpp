#include "schema_formats.h"

#include "../../base/error.h"
#include "regex.h"

namespace trustformers {
namespace {

/// Narrower than the standards where those are not regular or where a narrow form is what people mean: February has 28
/// days.
constexpr std::string_view date =
    "\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]"
    "))";
constexpr std::string_view time =
    "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)";

std::string pattern_of(std::string_view format) {
  if (format == "date") return std::string(date);
  if (format == "time") return std::string(time);
  if (format == "date-time") return str(date, "T", time);
  if (format == "duration") return "P(?:\\d{1,4}W|(?:\\d{1,4}Y)?(?:\\d{1,4}M)?\\d{1,4}D(?:T\\d{1,4}H)?|T\\d{1,4}[HMS])";
  if (format == "uuid") return "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}";
  if (format == "ipv4")
    return "(?:(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)\\.){3}(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
  if (format == "ipv6") return "(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}";
  if (format == "hostname") return "[A-Za-z0-9]{1,20}(?:\\.[A-Za-z0-9]{1,20}){0,4}";
  if (format == "email") return "[A-Za-z0-9_]+(?:[.+-][A-Za-z0-9_]+)*@[A-Za-z0-9]+(?:\\.[A-Za-z0-9]+)+";
  if (format == "uri") return "https?://[A-Za-z0-9]+(?:\\.[A-Za-z0-9]+)*(?::\\d{1,4})?(?:/[A-Za-z0-9._~-]*)*";
  return {};
}

}  // namespace

DfaPtr format_language(std::string_view format) {
  const std::string pattern = pattern_of(format);
  check(!pattern.empty(), ErrorCode::unsupported, "[schema] \"format\": \"", format, "\" is not supported");
  return std::make_shared<const Dfa>(regex_language(pattern, RegexMatch::whole));
}

}  // namespace trustformers
