# Installation and the package export: programs, headers, libraries, configuration, find_package(Mosaic).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Mosaic)
get_property(libraries GLOBAL PROPERTY MOSAIC_LIBRARIES)
get_property(programs GLOBAL PROPERTY MOSAIC_PROGRAMS)

install(TARGETS ${libraries} EXPORT MosaicTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(programs)
  install(TARGETS ${programs} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(DIRECTORY lib eval kernels DESTINATION include/mosaic FILES_MATCHING PATTERN "*.hpp")
if(EXISTS ${PROJECT_SOURCE_DIR}/config)
  install(DIRECTORY config DESTINATION ${CMAKE_INSTALL_DATADIR}/mosaic PATTERN mosaic EXCLUDE)
endif()
if(MOSAIC_PUBLISHED_ASSETS AND EXISTS ${PROJECT_SOURCE_DIR}/config/mosaic)
  install(DIRECTORY config/mosaic DESTINATION ${CMAKE_INSTALL_DATADIR}/mosaic/config)
endif()

install(EXPORT MosaicTargets NAMESPACE mosaic:: DESTINATION ${package_dir})
configure_package_config_file(cmake/MosaicConfig.cmake.in ${CMAKE_BINARY_DIR}/MosaicConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/MosaicConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/MosaicConfig.cmake ${CMAKE_BINARY_DIR}/MosaicConfigVersion.cmake
  cmake/MosaicDependencies.cmake cmake/MosaicKokkos.cmake cmake/FindTorchWheel.cmake
  DESTINATION ${package_dir})
