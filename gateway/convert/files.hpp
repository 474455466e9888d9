// Files within messages, as people's programs share them: by a link beside the text (XEP-0066), with what is known of
// the file (XEP-0447 and 0446; XEP-0385, which came before them). Pure.
#pragma once

#include "gateway/connector/action.hpp"
#include "gateway/xmpp/element.hpp"

#include <string_view>
#include <vector>

namespace wherry::convert {

// The files that a message of the user's shares, in its order, each once; where it shares more than `most_files`, one
// more than these. All have a url; the rest is what the message says of them, as far as it can be so. A link alone has
// the media type that its name says.
std::vector<connector::File> files_of(const xmpp::Element& message);
inline constexpr std::size_t most_files = 32;

// Whether the message announces files whose links come in messages of their own (XEP-0447 §4.3).
bool announces_files(const xmpp::Element& message);

// Whether it shares a file that only Jabber programs can come by, and has no link besides: from another program
// (XEP-0358), encrypted (XEP-0448).
bool shares_out_of_reach(const xmpp::Element& message);

// Whether `file` can be shared by a message of its own, which shows it: its link is one that programs open.
bool can_be_shared(const connector::File& file);

// Whether `text` has the link as a whole, and not only one that begins with it.
bool says_link(std::string_view text, std::string_view url);

// Makes `message`, which has no body, one that shares the file.
void share(xmpp::Element& message, const connector::File& file);

}  // namespace wherry::convert
