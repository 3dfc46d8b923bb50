/* TensorBoard's event files: records that are only ever appended, each a protocol buffer `Event`
 * (tensorflow/tensorboard: compat/proto/event.proto, summary.proto) between its size and check sums
 * (TFRecord). One directory with such a file is one run in TensorBoard. */
#ifndef WEFT_TRACK_EVENT_FILE_H
#define WEFT_TRACK_EVENT_FILE_H

#include <stddef.h>
#include <stdint.h>

#include <weft/status.h>

#include "base/bytes.h"

struct weft_event_file;

/* Makes the directory where it is missing, and a new file in it, whose name no other has.
 * WEFT_ERR_IO, WEFT_ERR_NOMEM. Close with weft_event_file_close(). */
WEFT_CHECKED weft_status weft_event_file_open(const char *dir, struct weft_event_file **out,
                                              weft_error *err);

/* Appends an event of this step with the values of `summary`, which becomes empty, and hands it to
 * the operating system. A failure is sticky: later calls do nothing and return it again. */
WEFT_CHECKED weft_status weft_event_file_write(struct weft_event_file *file, uint64_t step,
                                               struct weft_bytes *summary, weft_error *err);

/* Harmless on NULL. */
void weft_event_file_close(struct weft_event_file *file);

/* The records of a file as bytes, appended to `record`: the first one, and that of an event.
 * wall_time: seconds since 1970. */
void weft_event_version(struct weft_bytes *record, double wall_time);
void weft_event_record(struct weft_bytes *record, double wall_time, uint64_t step,
                       const struct weft_bytes *summary);

/* Values for a summary. A histogram has WEFT_EVENT_BUCKETS buckets of equal width over the finite
 * values, and none is added where there are no such. An image is a PNG file; channels are 1 or 3.
 */
enum { WEFT_EVENT_BUCKETS = 30 };
void weft_summary_scalar(struct weft_bytes *summary, const char *tag, double value);
void weft_summary_histogram(struct weft_bytes *summary, const char *tag, const float *values,
                            size_t n);
void weft_summary_image(struct weft_bytes *summary, const char *tag, uint32_t height,
                        uint32_t width, uint32_t channels, const void *png, size_t n_bytes);

/* CRC-32C (Castagnoli; RFC 3720, appendix B.4): "123456789" gives 0xE3069283. */
uint32_t weft_crc32c(const void *bytes, size_t n);

#endif
