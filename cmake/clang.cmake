# The toolchain of the presets `dev` and `fuzz`: Debian 12 has clang 16 (and an older default), Debian 13 has clang 19.
find_program(CMAKE_CXX_COMPILER NAMES clang++-16 clang++-19 clang++ REQUIRED)
