# What `cmake --install` lays down: headers, libraries, program, the CMake package and weft.pc.
# Nothing in it names the prefix, so the tree may be moved afterwards.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(weft_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/weft)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/weft DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN "*.h")

# Two export sets: users of the shared library need none of the packages the static one needs.
install(TARGETS weft_static EXPORT weft_static_targets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT weft_static_targets NAMESPACE weft:: DESTINATION ${weft_package_dir})
if(WEFT_BUILD_SHARED)
    install(TARGETS weft_shared EXPORT weft_shared_targets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(EXPORT weft_shared_targets NAMESPACE weft:: DESTINATION ${weft_package_dir})
endif()
if(TARGET weft)
    install(TARGETS weft RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

configure_package_config_file(${PROJECT_SOURCE_DIR}/src/package/weft-config.cmake.in
    ${PROJECT_BINARY_DIR}/weft-config.cmake INSTALL_DESTINATION ${weft_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/weft-config-version.cmake
    COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/weft-config.cmake ${PROJECT_BINARY_DIR}/weft-config-version.cmake
    DESTINATION ${weft_package_dir})

# weft.pc finds its prefix from its own place: as many steps up as libdir has parts, plus pkgconfig.
file(RELATIVE_PATH weft_pc_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
# libgomp is found by every gcc (and clang); the libomp of clang only by its full path.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    set(weft_pc_private -lgomp)
else()
    set(weft_pc_private ${OpenMP_C_LIBRARIES})
endif()
list(APPEND weft_pc_private ${WEFT_HDF5_LIBRARIES} -lm)
string(REPLACE ";" " " weft_pc_private "${weft_pc_private}")
configure_file(${PROJECT_SOURCE_DIR}/src/package/weft.pc.in ${PROJECT_BINARY_DIR}/weft.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/weft.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
