/** Marks of the public interface: what a shared library exports, to C++ too, and what a caller must
 *  look at. */
#ifndef WEFT_API_H
#define WEFT_API_H

#ifdef __cplusplus
#define WEFT_LINKAGE extern "C"
#else
#define WEFT_LINKAGE
#endif

#if defined(__GNUC__)
#define WEFT_API WEFT_LINKAGE __attribute__((visibility("default")))
#define WEFT_CHECKED __attribute__((warn_unused_result))
#else
#define WEFT_API WEFT_LINKAGE
#define WEFT_CHECKED
#endif

#endif
