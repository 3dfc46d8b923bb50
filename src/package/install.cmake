# What `cmake --install` lays down: headers, libraries, program, manual pages, completion, the CMake
# package and weft.pc. The components runtime, devel and program are the Debian packages.
# Nothing in it names the prefix, so the tree may be moved afterwards.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(weft_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/weft)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/weft DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    COMPONENT devel FILES_MATCHING PATTERN "*.h")

# Two export sets: users of the shared library need none of the packages the static one needs.
install(TARGETS weft_static EXPORT weft_static_targets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT devel)
install(EXPORT weft_static_targets NAMESPACE weft:: DESTINATION ${weft_package_dir} COMPONENT devel)
if(WEFT_BUILD_SHARED)
    install(TARGETS weft_shared EXPORT weft_shared_targets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT devel)
    install(EXPORT weft_shared_targets NAMESPACE weft:: DESTINATION ${weft_package_dir}
        COMPONENT devel)
endif()
if(TARGET weft)
    install(TARGETS weft RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
endif()

# Printed by a program of the build, which may be for another machine.
if(TARGET weft_manuals AND (NOT CMAKE_CROSSCOMPILING OR CMAKE_CROSSCOMPILING_EMULATOR))
    set(manuals ${PROJECT_BINARY_DIR}/manuals)
    add_custom_command(OUTPUT ${manuals}/weft.1
        COMMAND ${CMAKE_COMMAND} -E rm -rf ${manuals}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${manuals}
        COMMAND weft_manuals ${manuals}
        DEPENDS weft_manuals VERBATIM)
    add_custom_target(weft_manual_pages ALL DEPENDS ${manuals}/weft.1)
    install(DIRECTORY ${manuals}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program
        FILES_MATCHING PATTERN "*.1")
    install(FILES ${manuals}/weft.bash RENAME weft COMPONENT program
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
    # Debian's zsh looks for those of packages in a place of their own.
    set(zsh_folder site-functions)
    if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
        set(zsh_folder vendor-completions)
    endif()
    install(FILES ${manuals}/_weft COMPONENT program
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/${zsh_folder})
endif()

configure_package_config_file(${PROJECT_SOURCE_DIR}/src/package/weft-config.cmake.in
    ${PROJECT_BINARY_DIR}/weft-config.cmake INSTALL_DESTINATION ${weft_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/weft-config-version.cmake
    COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/weft-config.cmake ${PROJECT_BINARY_DIR}/weft-config-version.cmake
    DESTINATION ${weft_package_dir} COMPONENT devel)

# weft.pc finds its prefix from its own place: as many steps up as libdir has parts, plus pkgconfig.
file(RELATIVE_PATH weft_pc_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
# libgomp is found by every gcc (and clang); the libomp of clang only by its full path.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    set(weft_pc_private -lgomp)
else()
    set(weft_pc_private ${OpenMP_C_LIBRARIES})
endif()
list(APPEND weft_pc_private ${WEFT_HDF5_LIBRARIES} ${WEFT_PNG_LIBRARIES} -lm)
string(REPLACE ";" " " weft_pc_private "${weft_pc_private}")
configure_file(${PROJECT_SOURCE_DIR}/src/package/weft.pc.in ${PROJECT_BINARY_DIR}/weft.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/weft.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
    COMPONENT devel)

# Debian wants the licence in every package.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
    foreach(pair "runtime libweft${PROJECT_VERSION_MAJOR}" "devel libweft-dev" "program weft")
        separate_arguments(pair)
        list(GET pair 0 component)
        list(GET pair 1 package)
        install(FILES ${PROJECT_SOURCE_DIR}/LICENSE RENAME copyright COMPONENT ${component}
            DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/${package})
    endforeach()
endif()
include(${PROJECT_SOURCE_DIR}/src/package/cpack.cmake)
