/* The safetensors format: known bytes, every dtype, and files made to break a reader. */
#define _XOPEN_SOURCE 700 /* setrlimit, mkfifo */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "harness.h"
#include "model/safetensors.h"
#include "test_model.h"

/* The example of the format's description: a metadata entry and one bias of 0.5. */
static const char example_header[] =
    "{\"__metadata__\":{\"format\":\"pt\"},\"0.bias\":{\"dtype\":\"F32\",\"shape\":[1],"
    "\"data_offsets\":[0,4]}}      ";

static const char *put_example(size_t n_bytes)
{
    unsigned char bytes[108] = {0x60};
    memset(bytes + 8, ' ', 96);
    memcpy(bytes + 8, example_header, sizeof example_header - 1);
    bytes[107] = 0x3f;
    return harness_write_file("example.safetensors", bytes, n_bytes);
}

static void example_of_108_bytes(void)
{
    weft_error err;
    struct weft_st_file file;
    if (!CHECK_OK(weft_st_open(&file, put_example(108), &err), &err)) {
        return;
    }
    CHECK_STR(weft_st_metadata(&file, "format"), "pt");
    CHECK(weft_st_metadata(&file, "weft.version") == NULL);
    CHECK_UINT(file.n_tensors, 1);
    CHECK_STR(file.tensors[0].name, "0.bias");
    CHECK_STR(file.tensors[0].dtype, "F32");
    CHECK_UINT(file.tensors[0].n_dims, 1);
    CHECK_UINT(file.tensors[0].dims[0], 1);
    float value = 0;
    CHECK_OK(weft_st_read(&file, &file.tensors[0], &value, &err), &err);
    CHECK_NEAR((double)value, 0.5, 0);
    weft_st_close(&file);
    weft_st_close(&file);
}

/* Every shorter file is refused, as is every longer one. */
static void truncation_at_every_byte(void)
{
    for (size_t n = 0; n < 108; n++) {
        weft_error err = {0};
        struct weft_st_file file;
        CHECK_STATUS(weft_st_open(&file, put_example(n), &err), WEFT_ERR_FORMAT, &err);
        CHECK_HAS(err.message, n < 8     ? "bytes, wanted at least 8"
                               : n < 104 ? "cut short"
                                         : "is at bytes 0 to 4 of the data, the file has ");
        CHECK(file.stream == NULL && file.header == NULL && file.tensors == NULL);
    }
}

static weft_status write_example(const char *path, weft_error *err)
{
    static const float weight[6] = {1, -2, 0.5f, 0, 1e-45f, 3.4028235e38f};
    static const float bias[2] = {-0.0f, 0.1f};
    static const struct weft_st_pair metadata[] = {{"format", "pt"}, {"k\"\\\n", "\xC3\xA4/"}};
    struct weft_st_item items[] = {
        {.name = "2.weight", .n_dims = 2, .dims = {2, 3}, .values = weight},
        {.name = "10.bias", .n_dims = 1, .dims = {2}, .values = bias},
        {.name = "0.bias", .n_dims = 1, .dims = {1}, .values = bias + 1},
    };
    return weft_st_write(path, metadata, 2, items, 3, err);
}

/* Known to the last byte: upstream's order, padding to 64, little-endian floats. */
static void written_bytes(void)
{
    static const char header[] =
        "{\"__metadata__\":{\"format\":\"pt\",\"k\\\"\\\\\\n\":\"\xC3\xA4/\"},"
        "\"0.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
        "\"10.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]},"
        "\"2.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[12,36]}}";
    static const unsigned char data[] = {
        0xcd, 0xcc, 0xcc, 0x3d,                         /* 0.1 */
        0,    0,    0,    0x80, 0xcd, 0xcc, 0xcc, 0x3d, /* -0, 0.1 */
        0,    0,    0x80, 0x3f, 0,    0,    0,    0xc0, /* 1, -2 */
        0,    0,    0,    0x3f, 0,    0,    0,    0,    /* 0.5, 0 */
        1,    0,    0,    0,    0xff, 0xff, 0x7f, 0x7f, /* the least and the greatest */
    };
    enum { PADDED = 256 };
    unsigned char wanted[PADDED + sizeof data] = {PADDED - 8};
    memset(wanted + 8, ' ', PADDED - 8);
    CHECK(sizeof header - 1 <= PADDED - 8 && sizeof header - 1 > PADDED - 8 - 64);
    memcpy(wanted + 8, header, sizeof header - 1);
    memcpy(wanted + PADDED, data, sizeof data);

    weft_error err;
    const char *path = harness_write_file("written", "", 0);
    CHECK_OK(write_example(path, &err), &err);
    size_t size;
    unsigned char *got = get_file(path, &size);
    if (CHECK_UINT(size, sizeof wanted)) {
        CHECK_BYTES(got, wanted, size);
    }
    free(got);
}

/* Odd header lengths, so that no element is aligned in the file. */
static void unaligned_data(void)
{
    static const char *const spaces[] = {"", " ", "  ", "   ", "\n", "\t \r\n "};
    static const float wanted[3] = {1.5f, -2.25f, 1e-30f};
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        char header[200];
        snprintf(header, sizeof header,
                 "{\"t\":{\"dtype\":\"F32\",\"shape\":[3,1],\"data_offsets\":[0,12]}}%s",
                 spaces[i]);
        weft_error err;
        struct weft_st_file file;
        float got[3];
        if (CHECK_OK(weft_st_open(&file, put_safetensors(header, wanted, 12), &err), &err)) {
            CHECK_OK(weft_st_read(&file, &file.tensors[0], got, &err), &err);
            CHECK_BYTES(got, wanted, sizeof got);
            weft_st_close(&file);
        }
    }
}

static void every_float_type(void)
{
    static const char header[] =
        "{\"h\":{\"dtype\":\"F16\",\"shape\":[9],\"data_offsets\":[32,50]},"
        "\"d\":{\"dtype\":\"F64\",\"shape\":[2,2],\"data_offsets\":[0,32]},"
        "\"b\":{\"dtype\":\"BF16\",\"shape\":[1,4,1],\"data_offsets\":[50,58]},"
        "\"i\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[58,62]},"
        "\"e\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[32,32]}}";
    static const double doubles[4] = {0.1, -1e300, 1, 1e-320};
    static const unsigned char halves[] = {
        0x00, 0x3c, 0x00, 0xc0, 0xff, 0x7b, 0x01, 0x00, 0xff, 0x83, /* 1 -2 65504, subnormals */
        0x00, 0x80, 0x00, 0x7c, 0x01, 0xfe, 0x00, 0x04,             /* -0 inf nan 2^-14 */
    };
    static const unsigned char brains[] = {0x80, 0x3f, 0xcd, 0xbd, 0x80, 0xff, 0x01, 0x00};
    unsigned char data[62] = {0};
    memcpy(data, doubles, 32);
    memcpy(data + 32, halves, 18);
    memcpy(data + 50, brains, 8);
    weft_error err;
    struct weft_st_file file;
    const char *path = put_safetensors(header, data, sizeof data);
    if (!CHECK_OK(weft_st_open(&file, path, &err), &err) || !CHECK_UINT(file.n_tensors, 5)) {
        return;
    }
    static const char *const order[] = {"d", "e", "h", "b", "i"};
    for (size_t i = 0; i < 5; i++) {
        CHECK_STR(file.tensors[i].name, order[i]);
    }
    float got[9];
    CHECK_OK(weft_st_read(&file, &file.tensors[0], got, &err), &err);
    CHECK(got[0] == 0.1f && got[1] == -INFINITY && got[2] == 1 && got[3] == 0);
    CHECK_OK(weft_st_read(&file, &file.tensors[1], got, &err), &err);
    CHECK(got[0] == 0.1f);
    CHECK_OK(weft_st_read(&file, &file.tensors[2], got, &err), &err);
    CHECK(got[0] == 1 && got[1] == -2 && got[2] == 65504 && got[3] == 0x1p-24f);
    CHECK(got[4] == -1023 * 0x1p-24f && got[5] == 0 && signbit(got[5]) && got[6] == INFINITY);
    CHECK(isnan(got[7]) && got[8] == 0x1p-14f);
    CHECK_UINT(file.tensors[3].n_dims, 3);
    CHECK_OK(weft_st_read(&file, &file.tensors[3], got, &err), &err);
    CHECK(got[0] == 1 && got[1] == -0x1.9ap-4f && got[2] == -INFINITY && got[3] == 0x1p-133f);
    CHECK_UINT(file.tensors[4].n_dims, 0);
    CHECK_UINT(file.tensors[4].count, 1);
    CHECK_STATUS(weft_st_read(&file, &file.tensors[4], got, &err), WEFT_ERR_MISMATCH, &err);
    CHECK_HAS(err.message, "tensor 'i' has the dtype I32; weights are F32, F64, F16 or BF16");
    weft_st_close(&file);
}

#define T(shape, offsets) "{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

/* Sound, if odd: these must open. */
static void odd_but_sound_headers(void)
{
    static const struct {
        const char *header;
        size_t n_data, n_tensors;
    } cases[] = {
        {"{}", 0, 0},
        {"{\"__metadata__\":{}}", 0, 0},
        {"{ \"a\" : " T("[ 2 , 1 ]", "[ 0 , 8 ]") " }\n", 8, 1},
        {"{\"b\":" T("[1]", "[4,8]") ",\"a\":" T("[1]", "[0,4]") "}", 8, 2},
        {"{\"b\":" T("[0]", "[4,4]") ",\"a\":" T("[1]", "[0,4]") "}", 4, 2},
        {"{\"\":" T("[1]", "[0,4]") "}", 4, 1},
        {"{\"a\\u0041[{\\\"\":" T("[1]", "[0,4]") "}", 4, 1},
        {"{\"[[[[[[,:,:\":" T("[1]", "[0,4]") "}", 4, 1},
        {"{\"a\":{\"dtype\":\"F32\",\"new\":null,\"shape\":[],\"data_offsets\":[0,4]}}", 4, 1},
        {"{\"a\":" T("[1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, 1},
        {"{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[3],\"data_offsets\":[0,3]}}", 3, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_error err;
        struct weft_st_file file;
        const char *path = put_safetensors(cases[i].header, NULL, cases[i].n_data);
        if (CHECK_OK(weft_st_open(&file, path, &err), &err)) {
            CHECK_UINT(file.n_tensors, cases[i].n_tensors);
            weft_st_close(&file);
        } else {
            printf("\n  header: %s", cases[i].header);
        }
    }
}

static void hostile_headers(void)
{
    static const struct {
        const char *header;
        size_t n_data;
        const char *message;
    } cases[] = {
        /* no JSON, or not the JSON wanted */
        {"", 4, "does not start with '{'"},
        {" {}", 0, "does not start with '{'"},
        {"\xEF\xBB\xBF{}", 0, "does not start with '{'"},
        {"[]", 0, "does not start with '{'"},
        {"null", 0, "does not start with '{'"},
        {"{", 0, "no sound JSON"},
        {"{}{}", 0, "no sound JSON"},
        {"{\"a\"}", 0, "no sound JSON"},
        {"{\"a\":" T("[1]", "[0,4]") ",}", 4, "no sound JSON"},
        {"{\"a\\u0000b\":" T("[1]", "[0,4]") "}", 4, "no sound JSON"},
        {"{\"a\xFF\":" T("[1]", "[0,4]") "}", 4, "no sound JSON"},
        {"{\"a\\ud800\":" T("[1]", "[0,4]") "}", 4, "no sound JSON"},
        {"{\"a\":" T("[1]", "[0,4]") ",\"a\":" T("[1]", "[4,8]") "}", 8, "duplicate"},
        {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
         "duplicate"},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "duplicate"},
        {"{\"a\":" T("[99999999999999999999]", "[0,4]") "}", 4, "no sound JSON"},
        {"{\"a\":" T("[[[1]]]", "[0,4]") "}", 4, "nested deeper"},
        /* metadata */
        {"{\"__metadata__\":[]}", 0, "__metadata__ is no JSON object"},
        {"{\"__metadata__\":\"pt\"}", 0, "__metadata__ is no JSON object"},
        {"{\"__metadata__\":{\"a\":\"b\",\"step\":3}}", 0, "the value of 'step' is no string"},
        {"{\"__metadata__\":{\"a\":null}}", 0, "the value of 'a' is no string"},
        {"{\"__metadata__\":{\"a\":{}}}", 0, "the value of 'a' is no string"},
        /* a tensor's description */
        {"{\"a\":1}", 0, "tensor 'a': its description is no JSON object"},
        {"{\"a\":[]}", 0, "tensor 'a': its description is no JSON object"},
        {"{\"a\":{}}", 0, "tensor 'a': dtype is missing"},
        {"{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype is missing or no"},
        {"{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
         "tensor 'a' has the unknown dtype 'F31'"},
        {"{\"a\":{\"dtype\":\"f32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
         "unknown dtype 'f32'"},
        {"{\"a\":{\"dtype\":\"\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "unknown dtype ''"},
        {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "shape is no list"},
        {"{\"a\":" T("1", "[0,4]") "}", 4, "shape is no list"},
        {"{\"a\":" T("{}", "[0,4]") "}", 4, "shape is no list"},
        {"{\"a\":" T("[-1]", "[0,4]") "}", 4, "shape has an entry that is no whole number"},
        {"{\"a\":" T("[1.0]", "[0,4]") "}", 4, "shape has an entry that is no whole number"},
        {"{\"a\":" T("[1e0]", "[0,4]") "}", 4, "shape has an entry that is no whole number"},
        {"{\"a\":" T("[\"1\"]", "[0,4]") "}", 4, "shape has an entry that is no whole number"},
        {"{\"a\":" T("[true]", "[0,4]") "}", 4, "shape has an entry that is no whole number"},
        {"{\"a\":" T("[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, "has 9 dimensions"},
        {"{\"a\":" T("[4294967296,4294967296]", "[0,4]") "}", 4, "product of its shape overflows"},
        {"{\"a\":" T("[9223372036854775807,3,0]", "[0,0]") "}", 0,
         "product of its shape overflows"},
        {"{\"a\":" T("[4611686018427387904]", "[0,0]") "}", 0, "size of its elements overflows"},
        {"{\"a\":" T("[4611686018427387905]", "[0,4]") "}", 4, "size of its elements overflows"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "data_offsets is no pair"},
        {"{\"a\":" T("[1]", "4") "}", 4, "data_offsets is no pair"},
        {"{\"a\":" T("[1]", "[4]") "}", 4, "data_offsets is no pair"},
        {"{\"a\":" T("[1]", "[0,4,4]") "}", 4, "data_offsets is no pair"},
        {"{\"a\":" T("[1]", "[0.0,4]") "}", 4, "data_offsets is no pair"},
        {"{\"a\":" T("[1]", "[0,4.0]") "}", 4, "data_offsets is no pair"},
        {"{\"a\":" T("[1]", "[-4,0]") "}", 4, "data_offsets is no pair"},
        {"{\"a\":" T("[1]", "[\"0\",\"4\"]") "}", 4, "data_offsets is no pair"},
        /* where the data is */
        {"{\"a\":" T("[1]", "[4,0]") "}", 4, "is at bytes 4 to 0 of the data"},
        {"{\"a\":" T("[1]", "[0,4]") "}", 0, "is at bytes 0 to 4 of the data, the file has 0"},
        {"{\"a\":" T("[1]", "[0,4]") "}", 3, "is at bytes 0 to 4 of the data, the file has 3"},
        {"{\"a\":" T("[1]", "[9223372036854775803,9223372036854775807]") "}", 4, "the file has 4"},
        {"{\"a\":" T("[2]", "[0,4]") "}", 4, "takes 8 bytes by its shape and type, 4 by its"},
        {"{\"a\":" T("[0]", "[0,4]") "}", 4, "takes 0 bytes by its shape and type, 4 by its"},
        {"{\"a\":" T("[]", "[0,0]") "}", 0, "takes 4 bytes by its shape and type, 0 by its"},
        {"{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "takes 8 bytes"},
        {"{\"a\":" T("[1]", "[0,4]") ",\"b\":" T("[1]", "[0,4]") "}", 4, "an overlap"},
        {"{\"a\":" T("[2]", "[0,8]") ",\"b\":" T("[2]", "[4,12]") "}", 12,
         "tensor 'b' starts at byte 4 of the data, what is before it ends at 8: an overlap"},
        {"{\"a\":" T("[1]", "[4,8]") "}", 8, "what is before it ends at 0: a gap"},
        {"{\"a\":" T("[1]", "[0,4]") ",\"b\":" T("[1]", "[8,12]") "}", 12, "ends at 4: a gap"},
        {"{\"a\":" T("[0]", "[2,2]") ",\"b\":" T("[1]", "[0,4]") "}", 4, "an overlap"},
        {"{\"a\":" T("[1]", "[0,4]") "}", 5, "5 bytes of data, the tensors have 4"},
        {"{}", 1, "1 bytes of data, the tensors have 0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weft_error err = {0};
        struct weft_st_file file;
        const char *path = put_safetensors(cases[i].header, NULL, cases[i].n_data);
        bool ok = CHECK_STATUS(weft_st_open(&file, path, &err), WEFT_ERR_FORMAT, &err);
        ok = CHECK_HAS(err.message, cases[i].message) && ok;
        ok = CHECK_HAS(err.message, path) && ok;
        if (!ok) {
            printf("\n  header: %s", cases[i].header);
            weft_st_close(&file);
        }
    }
}

/* Lengths that lie; refused before memory is taken. */
static void hostile_lengths(void)
{
    static const struct {
        unsigned char length[8];
        const char *message;
    } cases[] = {
        {{0}, "does not start with '{'"},
        {{3}, "a header of 3 bytes, only 2 follow"},
        {{0, 0xe1, 0xf5, 0x05}, "a header of 100000000 bytes, only 2 follow"},
        {{1, 0xe1, 0xf5, 0x05}, "a header of 100000001 bytes, the format allows 100000000"},
        {{0, 0, 0, 0, 0, 0, 0, 0x80}, "a header of 9223372036854775808 bytes, the format allows"},
        {{255, 255, 255, 255, 255, 255, 255, 255}, "18446744073709551615 bytes, the format allows"},
        {{'n', 'o', ' ', 'm', 'o', 'd', 'e', 'l'}, "not a safetensors file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned char bytes[10] = {[8] = '{', [9] = '}'};
        memcpy(bytes, cases[i].length, 8);
        weft_error err = {0};
        struct weft_st_file file;
        size_t n_allocations = weft_mem_count();
        const char *path = harness_write_file("length", bytes, sizeof bytes);
        CHECK_STATUS(weft_st_open(&file, path, &err), WEFT_ERR_FORMAT, &err);
        CHECK_HAS(err.message, cases[i].message);
        CHECK(i == 0 || weft_mem_count() == n_allocations);
    }
}

/* A header of one pattern repeated n times, with what starts and ends it. */
static weft_status open_repeated(const char *start, const char *unit, size_t n, const char *end,
                                 weft_error *err)
{
    size_t len = strlen(start), unit_len = strlen(unit);
    char *header = malloc(len + n * unit_len + strlen(end) + 1);
    if (header == NULL) {
        exit(1);
    }
    strcpy(header, start);
    for (size_t i = 0; i < n; i++) {
        memcpy(header + len, unit, unit_len);
        len += unit_len;
    }
    strcpy(header + len, end);
    struct weft_st_file file;
    weft_status status = weft_st_open(&file, put_safetensors(header, NULL, 0), err);
    weft_st_close(&file);
    free(header);
    return status;
}

/* Neither the stack nor memory may run out. */
static void hostile_bulk(void)
{
    weft_error err = {0};
    CHECK_STATUS(open_repeated("{\"a\":", "[", 5000000, "", &err), WEFT_ERR_FORMAT, &err);
    CHECK_HAS(err.message, "nested deeper");
    CHECK_STATUS(open_repeated("", "{\"a\":", 1000000, "", &err), WEFT_ERR_FORMAT, &err);
    CHECK_HAS(err.message, "nested deeper");
    CHECK_STATUS(open_repeated("{\"a\":{\"shape\":[", "0,", 1000000, "0]}}", &err), WEFT_ERR_FORMAT,
                 &err);
    CHECK_HAS(err.message, "more entries than are read");
    CHECK_STATUS(open_repeated("{\"a\":[", "[],", 1000000, "[]]}", &err), WEFT_ERR_FORMAT, &err);
    CHECK_HAS(err.message, "more entries than are read");
    CHECK_STATUS(open_repeated("{\"a", "b\\\"[", 1000000, "\":1}", &err), WEFT_ERR_FORMAT, &err);
    CHECK_HAS(err.message, "its description is no JSON object");
    CHECK_OK(open_repeated("{", " ", 1000000, "}", &err), &err);
}

static void no_such_file(void)
{
    weft_error err;
    struct weft_st_file file;
    char path[300];
    snprintf(path, sizeof path, "%s/none", harness_temp_dir());
    CHECK_STATUS(weft_st_open(&file, path, &err), WEFT_ERR_IO, &err);
    CHECK_INT(err.saved_errno, ENOENT);
    CHECK_HAS(err.message, "/none: cannot open: No such file or directory");
    CHECK_STATUS(weft_st_open(&file, harness_temp_dir(), &err), WEFT_ERR_IO, &err);
    CHECK_HAS(err.message, "a directory, wanted a model file");
    CHECK_STATUS(weft_st_open(&file, "/dev/zero", &err), WEFT_ERR_IO, &err);
    CHECK_HAS(err.message, "no regular file");
    if (CHECK_INT(mkfifo(path, 0600), 0)) { /* opening it would wait for ever */
        CHECK_STATUS(weft_st_open(&file, path, &err), WEFT_ERR_IO, &err);
        CHECK_HAS(err.message, "no regular file");
        unlink(path);
    }
}

/* A file that is cut while it is open. */
static void file_that_shrinks(void)
{
    weft_error err;
    struct weft_st_file file;
    const char *path = put_example(108);
    if (CHECK_OK(weft_st_open(&file, path, &err), &err)) {
        CHECK_INT(truncate(path, 106), 0);
        float value;
        CHECK_STATUS(weft_st_read(&file, &file.tensors[0], &value, &err), WEFT_ERR_IO, &err);
        CHECK_HAS(err.message, "became shorter while it was read");
        weft_st_close(&file);
    }
}

static void no_memory(void)
{
    weft_error err;
    const char *path = put_example(108);
    size_t n = 0;
    weft_status status;
    do {
        struct weft_st_file file;
        weft_mem_fail_at(++n);
        status = weft_st_open(&file, path, &err);
        weft_mem_fail_at(0);
        CHECK(status == WEFT_OK || status == WEFT_ERR_NOMEM);
        weft_st_close(&file);
    } while (status != WEFT_OK && n < 20);
    CHECK_UINT(n, 3);

    path = harness_write_file("kept", "old", 3);
    n = 0;
    do {
        size_t size;
        unsigned char *bytes = get_file(path, &size);
        CHECK(size == 3 && memcmp(bytes, "old", 3) == 0);
        free(bytes);
        weft_mem_fail_at(++n);
        status = write_example(path, &err);
        weft_mem_fail_at(0);
        CHECK(status == WEFT_OK || status == WEFT_ERR_NOMEM);
    } while (status != WEFT_OK && n < 20);
    CHECK_UINT(n, 7);
}

/* More than the buffer of a stream and a chunk of the converter; the sum shows that all arrived. */
static void many_elements(void)
{
    enum { N = 100003 };
    float *values = malloc(2 * N * sizeof *values);
    if (values == NULL) {
        exit(1);
    }
    for (size_t i = 0; i < N; i++) {
        values[i] = (float)i - 1000.25f;
    }
    struct weft_st_item item = {.name = "x", .n_dims = 1, .dims = {N}, .values = values};
    weft_error err;
    const char *path = harness_write_file("many", "", 0);
    CHECK_OK(weft_st_write(path, NULL, 0, &item, 1, &err), &err);
    struct weft_st_file file;
    if (CHECK_OK(weft_st_open(&file, path, &err), &err)) {
        CHECK_OK(weft_st_read(&file, &file.tensors[0], values + N, &err), &err);
        CHECK_BYTES(values + N, values, N * sizeof *values);
        weft_st_close(&file);
    }
    free(values);
}

CU_TestInfo safetensors_tests[] = {
    {"example of 108 bytes", example_of_108_bytes},
    {"truncation at every byte", truncation_at_every_byte},
    {"written bytes", written_bytes},
    {"unaligned data", unaligned_data},
    {"every float type", every_float_type},
    {"odd but sound headers", odd_but_sound_headers},
    {"hostile headers", hostile_headers},
    {"hostile lengths", hostile_lengths},
    {"hostile bulk", hostile_bulk},
    {"no such file", no_such_file},
    {"file that shrinks", file_that_shrinks},
    {"no memory", no_memory},
    {"many elements", many_elements},
    CU_TEST_INFO_NULL,
};
