// What is written to standard error, the log, while this lives.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>

namespace wherry::tests {

class LogCapture {
 public:
  LogCapture() : before_(::dup(2)), file_(std::tmpfile()) { ::dup2(::fileno(file_), 2); }
  ~LogCapture() {
    ::dup2(before_, 2);
    ::close(before_);
    std::fclose(file_);
  }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  std::string text() {
    std::string text(static_cast<std::size_t>(::lseek(::fileno(file_), 0, SEEK_END)), '\0');
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(::pread(::fileno(file_), text.data(), text.size(), 0), 0)));
    return text;
  }
  std::size_t count(std::string_view word) {
    const std::string all = text();
    std::size_t found = 0;
    for (auto at = all.find(word); at != std::string::npos; at = all.find(word, at + 1)) ++found;
    return found;
  }

 private:
  int before_;
  std::FILE* file_;
};

}  // namespace wherry::tests
