// The answer to a server's challenge (CHL), by which it tells the programs it knows (MSNP11 and later). Pure.
#pragma once

#include <string>
#include <string_view>

namespace wherry::msn {

// What a program calls itself in the answer, and the key that belongs to it.
struct Product {
  std::string_view id, key;
};
inline constexpr Product msnp12_product = {"PROD0090YUAUV{2B", "YMM8C_H7KCQ2S_KL"};

// 32 lower-case hexadecimal digits: the payload of QRY.
std::string answer_challenge(std::string_view challenge, Product product = msnp12_product);

}  // namespace wherry::msn
