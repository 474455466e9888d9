// A face for a number: a small pattern of its own, so that people tell their chats apart at a glance.
#pragma once

#include <string>
#include <string_view>

namespace wherry::sms {

// A PNG of about a kilobyte, for ever the same for the same text.
std::string face_of(std::string_view number);

// The name of that picture, as long as faces are drawn in this way.
std::string face_name(std::string_view number);
// The number whose face has that name, or nothing.
std::string_view number_of_face(std::string_view name);

}  // namespace wherry::sms
