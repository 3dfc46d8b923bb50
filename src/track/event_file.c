/* See event_file.h. */
#include "track/event_file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/mem.h"

/* Field numbers of event.proto and summary.proto. */
enum { EVENT_WALL_TIME = 1, EVENT_STEP = 2, EVENT_FILE_VERSION = 3, EVENT_SUMMARY = 5 };
enum { SUMMARY_VALUE = 1 };
enum { VALUE_TAG = 1, VALUE_SIMPLE = 2, VALUE_IMAGE = 4, VALUE_HISTOGRAM = 5 };
enum { IMAGE_HEIGHT = 1, IMAGE_WIDTH = 2, IMAGE_COLOURS = 3, IMAGE_PNG = 4 };
enum {
    HISTOGRAM_MIN = 1,
    HISTOGRAM_MAX = 2,
    HISTOGRAM_COUNT = 3,
    HISTOGRAM_SUM = 4,
    HISTOGRAM_SQUARES = 5,
    HISTOGRAM_LIMITS = 6,
    HISTOGRAM_BUCKETS = 7,
};

struct weft_event_file {
    int fd;
    char *path;
    weft_error error; /* the first failure; status 0: none */
};

uint32_t weft_crc32c(const void *bytes, size_t n)
{
    const unsigned char *byte = bytes;
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        crc ^= byte[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (0x82f63b78 & (0u - (crc & 1)));
        }
    }
    return ~crc;
}

/* As TFRecord stores it: a check sum of data that hold check sums would be weak. */
static uint32_t masked_crc(const void *bytes, size_t n)
{
    uint32_t crc = weft_crc32c(bytes, n);
    return (crc >> 15 | crc << 17) + 0xa282ead8;
}

/* length, check sum of the length, data, check sum of the data */
static void add_record(struct weft_bytes *record, const struct weft_bytes *event)
{
    size_t begin = record->n;
    record->failed = record->failed || event->failed;
    weft_bytes_add_number(record, event->n, 8);
    if (!record->failed) {
        weft_bytes_add_number(record, masked_crc(record->data + begin, 8), 4);
        weft_bytes_add(record, event->data, event->n);
        weft_bytes_add_number(record, masked_crc(event->data, event->n), 4);
    }
}

void weft_event_version(struct weft_bytes *record, double wall_time)
{
    struct weft_bytes event = {0};
    weft_proto_f64(&event, EVENT_WALL_TIME, wall_time);
    weft_proto_text(&event, EVENT_FILE_VERSION, "brain.Event:2");
    add_record(record, &event);
    weft_bytes_release(&event);
}

void weft_event_record(struct weft_bytes *record, double wall_time, uint64_t step,
                       const struct weft_bytes *summary)
{
    struct weft_bytes event = {.failed = summary->failed};
    weft_proto_f64(&event, EVENT_WALL_TIME, wall_time);
    weft_proto_varint(&event, EVENT_STEP, step);
    size_t begin = weft_proto_begin(&event, EVENT_SUMMARY);
    weft_bytes_add(&event, summary->data, summary->n);
    weft_proto_end(&event, begin);
    add_record(record, &event);
    weft_bytes_release(&event);
}

/* Writes and releases a record. */
static weft_status write_out(struct weft_event_file *file, struct weft_bytes *record)
{
    weft_status status = file->error.status;
    if (status == WEFT_OK && record->failed) {
        status = weft_fail_nomem(&file->error, "an event file");
    }
    for (size_t done = 0; status == WEFT_OK && done < record->n;) {
        ssize_t n = write(file->fd, record->data + done, record->n - done);
        if (n < 0 && errno != EINTR) {
            status = weft_fail_errno(&file->error, errno, "%s: cannot write", file->path);
        }
        done += n > 0 ? (size_t)n : 0;
    }
    weft_bytes_release(record);
    return status;
}

static double wall_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* A new file: events.out.tfevents.SECONDS.HOST.PID.N */
static weft_status create(struct weft_event_file *file, const char *dir)
{
    struct utsname system = {0};
    size_t room = strlen(dir) + sizeof system.nodename + 80;
    file->path = weft_mem_alloc(room, 1);
    if (file->path == NULL) {
        return weft_fail_nomem(&file->error, "a file name");
    }
    if (uname(&system) != 0 || strchr(system.nodename, '/') != NULL) {
        strcpy(system.nodename, "localhost");
    }
    for (unsigned i = 0;; i++) {
        snprintf(file->path, room, "%s/events.out.tfevents.%lld.%s.%ld.%u", dir,
                 (long long)time(NULL), system.nodename, (long)getpid(), i);
        file->fd = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
        if (file->fd >= 0) {
            return WEFT_OK;
        }
        if (errno != EEXIST) {
            return weft_fail_errno(&file->error, errno, "%s: cannot create", file->path);
        }
    }
}

weft_status weft_event_file_open(const char *dir, struct weft_event_file **out, weft_error *err)
{
    if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
        return weft_fail_errno(err, errno, "%s: cannot create the directory", dir);
    }
    struct weft_event_file *file = weft_mem_zalloc(1, sizeof *file);
    if (file == NULL) {
        return weft_fail_nomem(err, "an event file");
    }
    file->fd = -1;
    struct weft_bytes record = {0};
    weft_status status = create(file, dir);
    if (status == WEFT_OK) {
        weft_event_version(&record, wall_time());
        status = write_out(file, &record);
    }
    if (status != WEFT_OK) {
        weft_fail(err, status, "%s", file->error.message);
        weft_event_file_close(file);
        return status;
    }
    *out = file;
    return WEFT_OK;
}

weft_status weft_event_file_write(struct weft_event_file *file, uint64_t step,
                                  struct weft_bytes *summary, weft_error *err)
{
    struct weft_bytes record = {0};
    weft_event_record(&record, wall_time(), step, summary);
    weft_bytes_release(summary);
    weft_status status = write_out(file, &record);
    return status == WEFT_OK ? status : weft_fail(err, status, "%s", file->error.message);
}

void weft_event_file_close(struct weft_event_file *file)
{
    if (file == NULL) {
        return;
    }
    if (file->fd >= 0) {
        close(file->fd);
    }
    weft_mem_free(file->path);
    weft_mem_free(file);
}

void weft_summary_scalar(struct weft_bytes *summary, const char *tag, double value)
{
    size_t begin = weft_proto_begin(summary, SUMMARY_VALUE);
    weft_proto_text(summary, VALUE_TAG, tag);
    weft_proto_f32(summary, VALUE_SIMPLE, (float)value);
    weft_proto_end(summary, begin);
}

struct moments {
    double min, max, sum, squares;
    size_t n;
};

static struct moments moments_of(const float *values, size_t n)
{
    struct moments found = {.min = HUGE_VAL, .max = -HUGE_VAL};
    for (size_t i = 0; i < n; i++) {
        double value = (double)values[i];
        if (isfinite(value)) {
            found.min = fmin(found.min, value);
            found.max = fmax(found.max, value);
            found.sum += value;
            found.squares += value * value;
            found.n++;
        }
    }
    return found;
}

/* The doubles of a packed field. */
static void add_doubles(struct weft_bytes *bytes, unsigned field, const double *values, size_t n)
{
    size_t begin = weft_proto_begin(bytes, field);
    for (size_t i = 0; i < n; i++) {
        weft_bytes_add_f64(bytes, values[i]);
    }
    weft_proto_end(bytes, begin);
}

void weft_summary_histogram(struct weft_bytes *summary, const char *tag, const float *values,
                            size_t n)
{
    struct moments found = moments_of(values, n);
    double counts[WEFT_EVENT_BUCKETS] = {0}, limits[WEFT_EVENT_BUCKETS];
    if (found.n == 0) {
        return;
    }
    double width = (found.max - found.min) / WEFT_EVENT_BUCKETS;
    for (size_t i = 0; i < n; i++) {
        double value = (double)values[i];
        if (isfinite(value)) {
            size_t bucket = width > 0 ? (size_t)((value - found.min) / width) : 0;
            counts[bucket < WEFT_EVENT_BUCKETS ? bucket : WEFT_EVENT_BUCKETS - 1]++;
        }
    }
    for (size_t i = 0; i < WEFT_EVENT_BUCKETS; i++) {
        limits[i] = i + 1 < WEFT_EVENT_BUCKETS ? found.min + width * (double)(i + 1) : found.max;
    }
    size_t value = weft_proto_begin(summary, SUMMARY_VALUE);
    weft_proto_text(summary, VALUE_TAG, tag);
    size_t histogram = weft_proto_begin(summary, VALUE_HISTOGRAM);
    weft_proto_f64(summary, HISTOGRAM_MIN, found.min);
    weft_proto_f64(summary, HISTOGRAM_MAX, found.max);
    weft_proto_f64(summary, HISTOGRAM_COUNT, (double)found.n);
    weft_proto_f64(summary, HISTOGRAM_SUM, found.sum);
    weft_proto_f64(summary, HISTOGRAM_SQUARES, found.squares);
    add_doubles(summary, HISTOGRAM_LIMITS, limits, WEFT_EVENT_BUCKETS);
    add_doubles(summary, HISTOGRAM_BUCKETS, counts, WEFT_EVENT_BUCKETS);
    weft_proto_end(summary, histogram);
    weft_proto_end(summary, value);
}

void weft_summary_image(struct weft_bytes *summary, const char *tag, uint32_t height,
                        uint32_t width, uint32_t channels, const void *png, size_t n_bytes)
{
    size_t value = weft_proto_begin(summary, SUMMARY_VALUE);
    weft_proto_text(summary, VALUE_TAG, tag);
    size_t image = weft_proto_begin(summary, VALUE_IMAGE);
    weft_proto_varint(summary, IMAGE_HEIGHT, height);
    weft_proto_varint(summary, IMAGE_WIDTH, width);
    weft_proto_varint(summary, IMAGE_COLOURS, channels);
    size_t begin = weft_proto_begin(summary, IMAGE_PNG);
    weft_bytes_add(summary, png, n_bytes);
    weft_proto_end(summary, begin);
    weft_proto_end(summary, image);
    weft_proto_end(summary, value);
}
