#include "gateway/base/files/media_type.hpp"

#include <algorithm>
#include <iterator>

namespace wherry::base {

namespace {

using namespace std::string_view_literals;

// `first` stands at the beginning, and `later` at that octet.
struct Signature {
  const char* media_type;
  const char* ending;
  std::string_view first;
  std::size_t at = 0;
  std::string_view later = {};
};

constexpr Signature signatures[] = {
    {"image/png", ".png", "\x89PNG\r\n\x1A\n"sv},
    {"image/jpeg", ".jpg", "\xFF\xD8\xFF"sv},
    {"image/gif", ".gif", "GIF87a"sv},
    {"image/gif", ".gif", "GIF89a"sv},
    {"image/webp", ".webp", "RIFF"sv, 8, "WEBP"sv},
    {"audio/wav", ".wav", "RIFF"sv, 8, "WAVE"sv},
    {"audio/ogg", ".ogg", "OggS"sv},
    {"audio/amr", ".amr", "#!AMR"sv},
    {"audio/mpeg", ".mp3", "ID3"sv},
    {"audio/mpeg", ".mp3", "\xFF\xFB"sv},
    {"audio/aac", ".aac", "\xFF\xF1"sv},
    {"audio/mp4", ".m4a", ""sv, 4, "ftypM4A"sv},
    {"image/heic", ".heic", ""sv, 4, "ftyphei"sv},
    {"image/avif", ".avif", ""sv, 4, "ftypavif"sv},
    {"video/3gpp", ".3gp", ""sv, 4, "ftyp3gp"sv},
    {"video/quicktime", ".mov", ""sv, 4, "ftypqt"sv},
    {"video/mp4", ".mp4", ""sv, 4, "ftyp"sv},
    {"video/webm", ".webm", "\x1A\x45\xDF\xA3"sv},
    {"application/pdf", ".pdf", "%PDF-"sv},
    {"text/vcard", ".vcf", "BEGIN:VCARD"sv},
};

}  // namespace

std::string media_type_of(std::string_view octets) {
  const auto* const found = std::find_if(std::begin(signatures), std::end(signatures), [&](const Signature& it) {
    const bool has_first = octets.starts_with(it.first);
    return has_first && octets.size() >= it.at && octets.substr(it.at).starts_with(it.later);
  });
  return found == std::end(signatures) ? std::string() : found->media_type;
}

std::string_view ending_of(std::string_view media_type) {
  const auto* const found = std::find_if(std::begin(signatures), std::end(signatures),
                                         [&](const Signature& it) { return it.media_type == media_type; });
  return found == std::end(signatures) ? ".bin" : found->ending;
}

}  // namespace wherry::base
