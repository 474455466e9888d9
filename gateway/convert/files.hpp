// Files within messages, as people's programs share them: by a link beside the text (XEP-0066), with what is known of
// the file (XEP-0447 and 0446; XEP-0385, which came before them). Pure.
#pragma once

#include "gateway/connector/action.hpp"
#include "gateway/xmpp/element.hpp"

#include <vector>

namespace wherry::convert {

// The files that a message of the user's shares, in its order, each once, and no more than `most_files` of them. All
// have a url; the rest is what the message says of them, as far as it can be so. A link alone has the media type that
// its name says.
std::vector<connector::File> files_of(const xmpp::Element& message);
inline constexpr std::size_t most_files = 32;

// Whether the message announces files whose links come in messages of their own (XEP-0447 §4.3).
bool announces_files(const xmpp::Element& message);

// Whether it shares a file that only Jabber programs can come by: from another program (XEP-0358), encrypted
// (XEP-0448).
bool shares_out_of_reach(const xmpp::Element& message);

// Whether `file` can be shared by a message of its own, which shows it: its link is one that programs open.
bool can_be_shared(const connector::File& file);

// Makes `message`, which has no body, one that shares the file.
void share(xmpp::Element& message, const connector::File& file);

}  // namespace wherry::convert
