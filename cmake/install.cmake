# What `cmake --install` puts where. The program finds its connectors and migrations from its own place, as
# gateway/config/places.hpp says; so the build folder has the same layout.
include(GNUInstallDirs)

foreach(place lib/wherry share/wherry)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/${place})
endforeach()
file(CREATE_LINK ${CMAKE_BINARY_DIR}/connectors ${CMAKE_BINARY_DIR}/lib/wherry/connectors SYMBOLIC)
file(CREATE_LINK ${CMAKE_SOURCE_DIR}/schemas/migrations ${CMAKE_BINARY_DIR}/share/wherry/migrations SYMBOLIC)

install(TARGETS wherry RUNTIME DESTINATION bin)
get_property(connectors GLOBAL PROPERTY WHERRY_CONNECTORS)
install(TARGETS ${connectors} LIBRARY DESTINATION lib/wherry/connectors)
install(DIRECTORY schemas/migrations DESTINATION share/wherry)
install(FILES deploy/wherry.example.toml LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
# The unit names the program by its whole path, which only the install knows.
install(CODE "
  file(READ \"${CMAKE_SOURCE_DIR}/deploy/wherry.service\" unit)
  string(REPLACE /usr/bin/wherry \"\${CMAKE_INSTALL_PREFIX}/bin/wherry\" unit \"\${unit}\")
  file(WRITE \"${CMAKE_BINARY_DIR}/wherry.service\" \"\${unit}\")")
install(FILES ${CMAKE_BINARY_DIR}/wherry.service DESTINATION lib/systemd/system)
