/** The version of these headers (semantic versioning); CMake reads it from here. */
#ifndef WEFT_VERSION_H
#define WEFT_VERSION_H

#include <weft/api.h>

#define WEFT_VERSION_MAJOR 0
#define WEFT_VERSION_MINOR 1
#define WEFT_VERSION_PATCH 0
#define WEFT_VERSION_STRING "0.1.0"

/** The version of the library in use, as "0.1.0"; may differ from the macro of the headers. */
WEFT_API const char *weft_version(void);

#endif
