# Writes OUTPUT with the git revision of SOURCE_DIR; leaves it alone where it says that already.
execute_process(COMMAND git -C ${SOURCE_DIR} describe --always --dirty --abbrev=12
    OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
    set(revision "unknown revision")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#define WEFT_REVISION \"${revision}\"\n")
