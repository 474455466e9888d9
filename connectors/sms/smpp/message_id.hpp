// The ids that an SMS centre gives to messages, and the notations in which its receipts repeat them. Pure.
//
// Most SMS centres write an id in a receipt as they wrote it in submit_sm_resp. Some write one of them in hexadecimal
// and the other in decimal, and nothing says so: with those, "80" in a receipt is the message "50". With the others it
// is the message "80". Which it is, a link shows: a side that writes hexadecimal soon writes a letter, and one that has
// written many numbers without a letter writes decimal. Until that is known, both readings are possible.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wherry::sms::smpp {

// How the id in a receipt is read to find the id that was given.
enum class Reading {
  by_letter,       // but for what canonical_id() takes away
  decimal_as_hex,  // the receipt has decimal, the answer had hexadecimal
  hex_as_decimal,  // the reverse
};

// So it may be in either notation. An id with a letter that is found by the letter is found for sure.
bool is_all_digits(std::string_view id);

// The one form under which an id is looked up: lower case, without hyphens and braces; of a hexadecimal number no
// leading zeros; of a negative number of 32 bits what it is without a sign.
std::string canonical_id(std::string_view id);

// The canonical form of the given id that a receipt's id means when read so. None where it cannot be read so: only
// numbers of at most 64 bits are converted.
std::optional<std::string> form_of(std::string_view receipt_id, Reading reading);

// All these forms, each once.
std::vector<std::string> id_forms(std::string_view receipt_id);

// How surely `receipt_id` names what the SMS centre called `given_id`: by the letter, or but for upper case; or only
// as a number or in its canonical form, which counts only where the addresses agree too.
enum class IdMatch { none, number, spelling, literal };
IdMatch match_ids(std::string_view given_id, std::string_view receipt_id);

// The notation of one side, from the ids that were seen. What is no number of at most 64 bits says nothing.
class Notation {
 public:
  enum class Kind { unknown, decimal, hexadecimal };
  void saw(std::string_view id);
  Kind kind() const;
  void assume(Kind kind);

 private:
  bool letter_ = false;  // seen
  unsigned plain_ = 0;   // numbers since then
};

// Of both sides of one link.
class Notations {
 public:
  void given(std::string_view id) { given_.saw(id); }        // in a submit_sm_resp
  void received(std::string_view id) { received_.saw(id); }  // in a receipt

  // The readings that are possible for this receipt's id, by the letter first. Exactly one: it is sure.
  std::vector<Reading> readings(std::string_view receipt_id) const;
  // Whether a letter has shown that numbers can have been written so. Without one, a conversion proves nothing.
  bool has_shown(Reading reading) const;

  // For the store. Nothing is known: empty.
  std::string to_text() const;
  void restore(std::string_view text);

 private:
  Notation given_, received_;
};

}  // namespace wherry::sms::smpp
