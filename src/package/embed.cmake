# weft_embed(OUTPUT NAME FILE [NAME FILE]...): writes the C file OUTPUT, which defines
# `const char NAME[]` with the text of FILE and a NUL.
function(weft_embed output)
    set(code "/* Made by CMake. */\n")
    set(rest ${ARGN})
    while(rest)
        list(POP_FRONT rest name file)
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
        file(READ ${file} bytes HEX)
        string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
        string(REGEX REPLACE "((0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,))" "\\1\n"
            bytes "${bytes}")
        string(APPEND code "extern const char ${name}[];\nconst char ${name}[] = {\n${bytes}0};\n")
    endwhile()
    file(CONFIGURE OUTPUT ${output} CONTENT "${code}" @ONLY)
endfunction()
