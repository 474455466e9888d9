#include "gateway/connector/loader.hpp"

#include <doctest/doctest.h>

#include <fstream>

using namespace wherry;
using connector::load_connector;

namespace {
const std::string plugins = WHERRY_BUILD_DIR "/tests/conformance/plugins/";
std::string refusal(const std::string& path) {
  const auto loaded = load_connector(path);
  REQUIRE_FALSE(loaded.has_value());
  CHECK(loaded.error().code == base::Errc::bad_input);
  CHECK(loaded.error().text.find(path) != std::string::npos);
  return loaded.error().text;
}
}  // namespace

TEST_CASE("load_connector loads a connector of this build, once") {
  const auto first = load_connector(WHERRY_BUILD_DIR "/connectors/echo.so");
  CHECK(first.value() == load_connector(WHERRY_BUILD_DIR "/connectors/echo.so").value());
  CHECK(std::string(first.value()->stamp) == connector::plugin_stamp);
}

TEST_CASE("load_connector refuses another build, and names both") {
  const auto text = refusal(plugins + "other_build.so");
  CHECK(text.find("0, some other compiler, Boost 1_00") != std::string::npos);
  CHECK(text.find(connector::plugin_stamp) != std::string::npos);
}

TEST_CASE("load_connector refuses what is no connector") {
  CHECK(refusal(plugins + "no_plugin.so").find("wherry_plugin") != std::string::npos);
  refusal(plugins + "no_such_file.so");
  refusal("/etc/passwd");
}
