# Every library from outside, once. deploy/packages installs them.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(EXPAT REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(CURL REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ICU REQUIRED COMPONENTS uc i18n)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(cares REQUIRED IMPORTED_TARGET libcares)

# toml++ is used as headers; its pkg-config file names a library that its headers do not need.
find_path(TOMLPLUSPLUS_INCLUDE toml++/toml.h REQUIRED)

# libphonenumber's -dev package cannot be installed beside Boost 1.81 on Debian 12 (it demands Boost 1.74), so
# deploy/packages unpacks its headers under .deps there.
find_path(PHONENUMBER_INCLUDE phonenumbers/phonenumberutil.h PATHS ${CMAKE_SOURCE_DIR}/.deps/usr/include /opt/wherry-deps/usr/include REQUIRED)
find_library(PHONENUMBER_LIBRARY NAMES phonenumber libphonenumber.so.8 REQUIRED)
add_library(phonenumber INTERFACE)
target_include_directories(phonenumber SYSTEM INTERFACE ${PHONENUMBER_INCLUDE})
target_link_libraries(phonenumber INTERFACE ${PHONENUMBER_LIBRARY})
