# What an installed copy holds: the library, its headers, and the files by which CMake and pkg-config find them.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS trustformers trustformers_c EXPORT trustformersTargets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
# Headers include each other by relative paths, so the rooms keep their places. Kernels are nobody's interface.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/src/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/trustformers
        FILES_MATCHING PATTERN "*.h" PATTERN "backends" EXCLUDE)

set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/trustformers)
install(EXPORT trustformersTargets NAMESPACE trustformers:: DESTINATION ${config_folder})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/trustformersConfig.cmake.in ${PROJECT_BINARY_DIR}/trustformersConfig.cmake
                              INSTALL_DESTINATION ${config_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/trustformersConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/trustformersConfig.cmake ${PROJECT_BINARY_DIR}/trustformersConfigVersion.cmake
        DESTINATION ${config_folder})

# A static library leaves its own libraries to the program that links it, whose author need not know their names.
set(pc_requires "Requires.private")
if(NOT BUILD_SHARED_LIBS)
  set(pc_requires "Requires")
endif()
# The .pc file finds its prefix from its own place, so that an installed tree can be moved.
file(RELATIVE_PATH pc_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(${CMAKE_CURRENT_LIST_DIR}/trustformers.pc.in ${PROJECT_BINARY_DIR}/trustformers.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/trustformers.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
