#include "gateway/convert/files.hpp"

#include "gateway/base/text.hpp"
#include "gateway/xmpp/namespaces.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

namespace wherry::convert {

namespace ns = xmpp::ns;
using connector::File;
using xmpp::Element;

namespace {

constexpr const char* sims = "urn:xmpp:sims:1";                                // XEP-0385
constexpr std::string_view sims_file = "urn:xmpp:jingle:apps:file-transfer:";  // XEP-0234, of whichever version
constexpr const char* sims_reference = "urn:xmpp:reference:0";                 // XEP-0372
constexpr std::size_t most_url_bytes = 2 << 10, most_file_name_bytes = 256,
                      most_media_type_bytes = 127;  // RFC 6838 §4.2

// What programs open without asking, by the letters at the end of its name.
constexpr std::pair<std::string_view, const char*> known_types[] = {
    {"jpg", "image/jpeg"},  {"jpeg", "image/jpeg"}, {"png", "image/png"},       {"gif", "image/gif"},
    {"webp", "image/webp"}, {"heic", "image/heic"}, {"avif", "image/avif"},     {"mp4", "video/mp4"},
    {"3gp", "video/3gpp"},  {"webm", "video/webm"}, {"mov", "video/quicktime"}, {"mp3", "audio/mpeg"},
    {"m4a", "audio/mp4"},   {"ogg", "audio/ogg"},   {"oga", "audio/ogg"},       {"opus", "audio/ogg"},
    {"wav", "audio/wav"},   {"amr", "audio/amr"},   {"aac", "audio/aac"},       {"pdf", "application/pdf"},
    {"vcf", "text/vcard"},
};

std::string type_by_name(std::string_view url) {
  const std::string_view path = url.substr(0, url.find_first_of("?#"));
  const std::size_t dot = path.find_last_of("./");
  if (dot == path.npos || path[dot] != '.') return {};
  const std::string ending = base::to_lower_ascii(path.substr(dot + 1));
  const auto* const found = std::find_if(std::begin(known_types), std::end(known_types),
                                         [&](const auto& type) { return type.first == ending; });
  return found == std::end(known_types) ? std::string() : found->second;
}

bool is_web_link(std::string_view url) {
  const std::string scheme = base::to_lower_ascii(url.substr(0, url.find(':')));
  const bool is_web = scheme == "https" || scheme == "http";
  const auto is_printed = [](unsigned char c) { return c > ' ' && c != 0x7F; };
  return is_web && url.size() <= most_url_bytes && std::all_of(url.begin(), url.end(), is_printed);
}

// "image/png"; anything else is not said.
std::string media_type(std::string_view text) {
  const std::string type = base::to_lower_ascii(base::trim(text));
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || std::string_view("/.+-_").find(c) != std::string::npos;
  };
  const bool is_one = std::count(type.begin(), type.end(), '/') == 1 && type.front() != '/' && type.back() != '/';
  return is_one && type.size() <= most_media_type_bytes && std::all_of(type.begin(), type.end(), is_plain)
             ? type
             : std::string();
}

template <class N>
N whole_number(std::string_view text) {
  N value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && rest == text.data() + text.size() ? value : 0;
}

// XEP-0300; 64 hexadecimal digits.
std::string sha256_of(const Element& metadata) {
  constexpr std::size_t octets = 32;
  for (const Element& child : metadata.children()) {
    if (!child.is("hash", ns::hashes) || child.attribute("algo") != "sha-256") continue;
    const auto hash = base::from_base64(base::trim(child.text()));
    if (hash && hash->size() == octets) return base::to_hex(*hash);
  }
  return {};
}

// XEP-0446 §3; that of XEP-0234, which XEP-0385 has, says the same by the same names.
File described(const Element& metadata) {
  const auto text = [&](const char* name) { return metadata.child_text(name, metadata.ns()); };
  File file;
  file.media_type = media_type(text("media-type"));
  file.name = base::utf8_prefix(base::trim(text("name")), most_file_name_bytes);
  file.bytes = whole_number<std::uint64_t>(text("size"));
  file.width = whole_number<std::uint32_t>(text("width"));
  file.height = whole_number<std::uint32_t>(text("height"));
  file.duration = whole_number<std::uint64_t>(text("length"));
  file.sha256 = sha256_of(metadata);
  return file;
}

// The first source that everybody can open.
std::string link_of(const Element& sources, const char* name, const char* space, const char* attribute) {
  for (const Element& source : sources.children()) {
    const std::string_view url = source.attribute(attribute);
    if (source.is(name, space) && is_web_link(url)) return std::string(url);
  }
  return {};
}

File shared_file(const Element& sharing) {
  const Element* metadata = sharing.child("file", ns::file_metadata);
  const Element* sources = sharing.child("sources", ns::file_sharing);
  File file = metadata ? described(*metadata) : File{};
  if (sources) file.url = link_of(*sources, "url-data", ns::url_data, "target");
  return file;
}

File referred_file(const Element& reference) {
  const Element* sharing = reference.child("media-sharing", sims);
  const Element* metadata = nullptr;
  if (sharing) {
    for (const Element& child : sharing->children())
      if (child.name() == "file" && child.ns().starts_with(sims_file)) metadata = &child;
  }
  const Element* sources = sharing ? sharing->child("sources", sims) : nullptr;
  File file = metadata ? described(*metadata) : File{};
  if (sources) file.url = link_of(*sources, "reference", sims_reference, "uri");
  return file;
}

// The same file may be shared in each way, for programs that know only one. The first says the most.
void add_file(std::vector<File>& files, File file) {
  const auto is_same = [&](const File& other) { return other.url == file.url; };
  if (file.url.empty() || files.size() > most_files || std::any_of(files.begin(), files.end(), is_same)) return;
  if (file.media_type.empty()) file.media_type = type_by_name(file.name.empty() ? file.url : file.name);
  files.push_back(std::move(file));
}

void add_link(std::vector<File>& files, std::string_view url) {
  File file;
  if (is_web_link(url)) file.url = url;
  add_file(files, std::move(file));
}

// XEP-0446 §3: not what a file system reads a folder from.
std::string name_without_folders(std::string_view name) {
  std::string clean(base::utf8_prefix(name, most_file_name_bytes));
  std::replace_if(
      clean.begin(), clean.end(), [](char c) { return c == '/' || c == '\\'; }, '_');
  return clean;
}

template <class N>
void add_number(Element& metadata, const char* name, N value) {
  if (value > 0) metadata.add_text_child(name, std::to_string(value));
}

}  // namespace

std::vector<File> files_of(const Element& message) {
  std::vector<File> files;
  for (const Element& child : message.children())
    if (child.is("file-sharing", ns::file_sharing)) add_file(files, shared_file(child));
  for (const Element& child : message.children())
    if (child.is("reference", sims_reference)) add_file(files, referred_file(child));
  for (const Element& child : message.children()) {
    if (child.is("sources", ns::file_sharing)) add_link(files, link_of(child, "url-data", ns::url_data, "target"));
    if (child.is("x", ns::oob)) add_link(files, child.child_text("url", ns::oob));
  }
  return files;
}

bool announces_files(const Element& message) {
  const auto& children = message.children();
  return std::any_of(children.begin(), children.end(), [](const Element& child) {
    return child.is("file-sharing", ns::file_sharing) && !child.child("sources", ns::file_sharing);
  });
}

bool shares_out_of_reach(const Element& message) {
  const auto& children = message.children();
  const bool has_link = std::any_of(children.begin(), children.end(), [](const Element& child) {
    return child.is("x", ns::oob) && is_web_link(child.child_text("url", ns::oob));
  });
  return !has_link && std::any_of(children.begin(), children.end(), [](const Element& child) {
    if (child.is("file-sharing", ns::file_sharing))
      return child.child("sources", ns::file_sharing) && shared_file(child).url.empty();
    return child.is("reference", sims_reference) && child.child("media-sharing", sims) &&
           referred_file(child).url.empty();
  });
}

bool can_be_shared(const File& file) { return is_web_link(file.url); }

bool says_link(std::string_view text, std::string_view url) {
  constexpr std::string_view behind = " \t\r\n<>\"')],;.!";
  if (url.empty()) return true;
  for (std::size_t at = text.find(url); at != text.npos; at = text.find(url, at + 1)) {
    const std::size_t end = at + url.size();
    if (end == text.size() || behind.find(text[end]) != behind.npos) return true;
  }
  return false;
}

void share(Element& message, const File& file) {
  message.add_text_child("body", file.url);
  Element& sharing = message.add("file-sharing", ns::file_sharing);
  sharing.set("disposition", "inline");
  Element& metadata = sharing.add("file", ns::file_metadata);
  if (!file.media_type.empty()) metadata.add_text_child("media-type", file.media_type);
  if (!file.name.empty()) metadata.add_text_child("name", name_without_folders(file.name));
  add_number(metadata, "size", file.bytes);
  add_number(metadata, "width", file.width);
  add_number(metadata, "height", file.height);
  add_number(metadata, "length", file.duration);
  if (const auto hash = base::from_hex(file.sha256); hash && !hash->empty())
    metadata.add("hash", ns::hashes).set("algo", "sha-256").set_text(base::to_base64(*hash));
  sharing.add("sources", ns::file_sharing).add("url-data", ns::url_data).set("target", file.url);
  Element& fallback = message.add("fallback", ns::fallback).set("for", ns::file_sharing);
  fallback.add("body", ns::fallback);
  message.add("x", ns::oob).add_text_child("url", file.url);  // §4.1; Conversations shows a file whose body is its link
}

}  // namespace wherry::convert
