// What Twilio's error codes mean for a text (Twilio, "Error and Warning Dictionary"). Those of 30xxx mostly come with a
// status, the others with an answer.
#pragma once

#include "connectors/sms/http/api/verdict.hpp"

namespace wherry::sms {

using http::Means;

inline constexpr http::KnownError twilio_errors[] = {
    {14107, Means::refused, "Too many messages go to and from that number. Wait some minutes, and send it again."},
    {20003, Means::broken, "The SMS service does not accept the gateway's credentials."},
    {20005, Means::broken, "The gateway's account at the SMS service is not active."},
    {20404, Means::broken, "The SMS service does not know the gateway's account."},
    {20429, Means::later, "The SMS service is overloaded.", std::chrono::seconds(2)},
    {21211, Means::no_number, "The number does not exist."},
    {21212, Means::operators, "The SMS service does not know your number."},
    {21217, Means::no_number, "The number does not exist."},
    {21265, Means::no_number, "A short code cannot be written to from here."},
    {21266, Means::refused, "You cannot write to your own number."},
    {21408, Means::operators, "The SMS service is not enabled for that country."},
    {21602, Means::refused, "The message is empty."},
    {21603, Means::operators, "The SMS service cannot send from your number."},
    {21606, Means::operators, "The SMS service cannot send from your number."},
    {21608, Means::operators, "The SMS service is on trial and writes to verified numbers only."},
    {21609, Means::broken, "The SMS service cannot use the gateway's public address."},
    {21610, Means::refused,
     "The recipient has opted out of texts from your number. Until they send START to it, nothing reaches them."},
    {21611, Means::later, "The SMS service's queue for your number is full."},
    {21612, Means::refused, "The SMS service cannot reach that number from yours."},
    {21614, Means::no_number, "The number cannot receive texts."},
    {21617, Means::refused, "The message is too long: at most 1,600 characters fit."},
    {21619, Means::refused, "The message has neither a text nor a file."},
    {21620, Means::refused, "The file's address cannot be used by the SMS service."},
    {21621, Means::operators, "The SMS service does not send files from your number."},
    {21622, Means::operators, "The SMS service does not send files for the gateway's account."},
    {21623, Means::refused, "The message has too many files: at most ten fit."},
    {21624, Means::operators, "The SMS service cannot use the gateway's settings."},
    {21635, Means::no_number, "The number is a landline and cannot receive texts."},
    {21659, Means::operators, "The SMS service cannot send from your number."},
    {21660, Means::operators, "The SMS service cannot send from your number."},
    {21661, Means::operators, "The SMS service cannot send from your number."},
    {21701, Means::broken, "The SMS service does not know the gateway's messaging service."},
    {21703, Means::broken, "The messaging service has no numbers."},
    {30001, Means::later, "The SMS service's queue for your number is full."},
    {30002, Means::broken, "The gateway's account at the SMS service is suspended."},
    {30003, Means::refused, "The phone is switched off or out of reach, or does not take texts."},
    {30004, Means::refused, "The recipient's phone or network blocks the message."},
    {30005, Means::no_number, "The number does not exist or is not in service."},
    {30006, Means::no_number, "The number is a landline, or its network cannot be reached."},
    {30007, Means::refused, "The network filtered the message as unwanted."},
    {30008, Means::refused, "The network did not deliver the message and gave no reason."},
    {30010, Means::refused, "The message would cost more than the SMS service was told to pay."},
    {30011, Means::refused, "The recipient's network does not take files."},
    {30019, Means::refused, "The message is too large for the recipient's network."},
    {30022, Means::later, "The network's limit of texts for your number is reached.", std::chrono::seconds(60)},
    {30023, Means::later, "The network's limit of texts for today is reached.", std::chrono::seconds(3600)},
    {30032, Means::operators, "Your number is not verified for texts."},
    {30034, Means::operators, "Your number is not registered for texts to that country."},
    {30035, Means::operators, "The registration of your number for texts is not complete."},
    {30036, Means::refused, "The message could not be delivered in time."},
    {30038, Means::refused, "The network does not take one-time passwords from your number."},
    {30410, Means::refused, "The recipient's network did not answer in time."},
    {30450, Means::refused, "The SMS service's protection against abuse stopped the message."},
    {63038, Means::later, "The SMS service's limit for today is reached.", std::chrono::seconds(3600)},
};
static_assert(http::codes_rise(twilio_errors), "a code stands twice, or in the wrong place");

}  // namespace wherry::sms
