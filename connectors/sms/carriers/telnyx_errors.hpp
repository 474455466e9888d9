// What Telnyx's error codes mean for a text (Telnyx, "API error codes", 1xxxx, and "Messaging Error Code Reference",
// 4xxxx).
#pragma once

#include "connectors/sms/http/api/verdict.hpp"

namespace wherry::sms {

using http::Means;

inline constexpr http::KnownError telnyx_errors[] = {
    {10001, Means::operators, "The SMS service cannot send from your number."},
    {10002, Means::no_number, "The number does not exist."},
    {10009, Means::broken, "The SMS service does not accept the gateway's credentials."},
    {10010, Means::broken, "The gateway's account may not send texts."},
    {10011, Means::later, "The SMS service is overloaded.", std::chrono::seconds(2)},
    {10016, Means::no_number, "The SMS service cannot reach that number."},
    {20100, Means::broken, "The gateway's account at the SMS service has no money left."},
    {40001, Means::no_number, "The number is a landline, or its network cannot be reached."},
    {40002, Means::refused, "The network filtered the message as unwanted."},
    {40003, Means::operators, "The network blocks your number."},
    {40004, Means::refused, "The recipient's network refused the message."},
    {40005, Means::refused, "The message could not be delivered in time."},
    {40006, Means::refused, "The recipient's network did not answer in time."},
    {40008, Means::refused, "The network did not deliver the message and gave no reason."},
    {40009, Means::refused, "The network does not take a message with this text."},
    {40013, Means::operators, "The SMS service cannot send from your number."},
    {40300, Means::refused,
     "The recipient has opted out of texts from your number. Until they send START to it, nothing reaches them."},
    {40302, Means::refused, "The message is too long for the SMS service. Send it in parts."},
    {40318, Means::later, "The SMS service's queue for your number is full."},
};
static_assert(http::codes_rise(telnyx_errors), "a code stands twice, or in the wrong place");

}  // namespace wherry::sms
