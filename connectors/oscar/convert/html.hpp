// AIM's clients write HTML; people read text.
#pragma once

#include <string>
#include <string_view>

namespace wherry::oscar {

bool is_html(std::string_view text);
// The text that it shows: tags are left out, <br> is a new line, a link that shows another text has its address behind
// it.
std::string html_to_text(std::string_view html);
std::string text_to_html(std::string_view text);

}  // namespace wherry::oscar
