/* Floor 6, reports: measures against known answers, text and numbers, images, evaluation.json there
 * and back and broken in every way, whole pages with hostile names. That browsers and HTML parsers
 * agree is looked at by tests/interop/check_report.py. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/mem.h"
#include "harness.h"
#include "report/report_base64.h"
#include "report/report_bitmap.h"
#include "report/report_chart.h"
#include "report/report_evaluation.h"
#include "report/report_html.h"
#include "report/report_metrics.h"
#include "report/report_page.h"
#include "report/report_run.h"
#include "synthetic.h"

#define HOSTILE "<script>alert('1')</script>\"&"
#define HOSTILE_SHOWN "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;"

static weft_error err;

/* ---- measures ---- */

static struct report_ranking ranking_of(const float *scores, const bool *positive, size_t n)
{
    struct report_ranking ranking;
    CHECK_OK(report_ranking_init(&ranking, scores, 1, positive, n, &err), &err);
    return ranking;
}

static void check_points(const struct report_point *got, size_t n, const double (*wanted)[2],
                         size_t n_wanted)
{
    CHECK_UINT(n, n_wanted);
    for (size_t i = 0; i < n && i < n_wanted; i++) {
        CHECK_NEAR(got[i].x, wanted[i][0], 1e-12);
        CHECK_NEAR(got[i].y, wanted[i][1], 1e-12);
    }
}

/* The example in scikit-learn's documentation of roc_auc_score and average_precision_score. */
static void known_ranking(void)
{
    const float scores[] = {0.1F, 0.4F, 0.35F, 0.8F};
    const bool positive[] = {false, false, true, true};
    struct report_ranking ranking = ranking_of(scores, positive, 4);
    struct report_point points[10];
    CHECK_NEAR(report_roc_area(&ranking), 0.75, 1e-12);
    CHECK_NEAR(report_average_precision(&ranking), 0.5 + 0.5 * 2 / 3, 1e-12);
    check_points(points, report_roc_curve(&ranking, points, 10),
                 (const double[][2]){{0, 0}, {0, 0.5}, {0.5, 0.5}, {0.5, 1}, {1, 1}}, 5);
    check_points(points, report_pr_curve(&ranking, points, 10),
                 (const double[][2]){{0, 1}, {0.5, 1}, {0.5, 0.5}, {1, 2.0 / 3}, {1, 0.5}}, 5);
    check_points(points, report_roc_curve(&ranking, points, 2), (const double[][2]){{0, 0}, {1, 1}},
                 2);
    check_points(points, report_roc_curve(&ranking, points, 3),
                 (const double[][2]){{0, 0}, {0.5, 0.5}, {1, 1}}, 3);
    report_ranking_release(&ranking);
}

/* Equal scores are one threshold: a guess. */
static void ties(void)
{
    const float scores[] = {0.5F, 0.5F, 0.5F, 0.5F, 0.5F};
    const bool positive[] = {true, false, true, false, false};
    struct report_ranking ranking = ranking_of(scores, positive, 5);
    struct report_point points[10];
    CHECK_NEAR(report_roc_area(&ranking), 0.5, 1e-12);
    CHECK_NEAR(report_average_precision(&ranking), 0.4, 1e-12);
    check_points(points, report_roc_curve(&ranking, points, 10),
                 (const double[][2]){{0, 0}, {1, 1}}, 2);
    report_ranking_release(&ranking);
}

static void one_kind_only(void)
{
    const float scores[] = {0.1F, 0.2F, (float)NAN};
    const bool all[] = {true, true, true}, none[] = {false, false, false};
    struct report_point points[10];
    struct report_ranking ranking = ranking_of(scores, all, 2);
    CHECK(isnan(report_roc_area(&ranking)));
    CHECK_NEAR(report_average_precision(&ranking), 1, 1e-12);
    CHECK_UINT(report_roc_curve(&ranking, points, 10), 0);
    report_ranking_release(&ranking);
    ranking = ranking_of(scores, none, 2);
    CHECK(isnan(report_roc_area(&ranking)));
    CHECK(isnan(report_average_precision(&ranking)));
    CHECK_UINT(report_pr_curve(&ranking, points, 10), 0);
    report_ranking_release(&ranking);
    ranking = ranking_of(scores, all, 3); /* with a NaN: no order */
    CHECK_UINT(ranking.n, 0);
    CHECK(isnan(report_roc_area(&ranking)));
    CHECK_UINT(report_pr_curve(&ranking, points, 10), 0);
}

/* A long curve stays itself when it is thinned: monotone, its ends kept, its area nearly so. */
static void thinned_curves(void)
{
    enum { N = 5000, MOST = 150 };
    float *scores = malloc(N * sizeof *scores);
    bool *positive = malloc(N * sizeof *positive);
    struct report_point points[MOST];
    unsigned long state = 7;
    for (size_t i = 0; i < N; i++) {
        state = state * 1103515245 + 12345;
        positive[i] = i % 3 == 0;
        scores[i] = (float)((state >> 16) % 1000) / 1000 + (positive[i] ? 0.4F : 0);
    }
    struct report_ranking ranking = ranking_of(scores, positive, N);
    size_t n = report_roc_curve(&ranking, points, MOST);
    CHECK(n <= MOST && n > MOST / 2);
    CHECK_NEAR(points[0].x + points[0].y, 0, 0);
    CHECK_NEAR(points[n - 1].x + points[n - 1].y, 2, 0);
    double area = 0;
    for (size_t i = 1; i < n; i++) {
        CHECK(points[i].x >= points[i - 1].x && points[i].y >= points[i - 1].y);
        area += (points[i].x - points[i - 1].x) * (points[i].y + points[i - 1].y) / 2;
    }
    CHECK_NEAR(area, report_roc_area(&ranking), 0.005);
    report_ranking_release(&ranking);
    free(scores);
    free(positive);
}

/* Worked by hand: bins of a fifteenth; 0.2 is the upper end of bin 3, but 0.2F lies above it. */
static void calibration(void)
{
    const float confidence[] = {0.9F, 0.9F, 0.62F, 0.55F, (float)NAN};
    const bool right[] = {true, false, true, true, true};
    struct report_calibration found;
    report_calibrate(confidence, right, 5, &found);
    CHECK_NEAR(found.ece, 0.5 * 0.4 + 0.25 * 0.38 + 0.25 * 0.45, 1e-6);
    CHECK_UINT(found.n[13], 2);
    CHECK_NEAR(found.accuracy[13], 0.5, 1e-12);
    CHECK_NEAR(found.confidence[13], 0.9, 1e-6);
    CHECK_UINT(found.n[9], 1);
    CHECK_UINT(found.n[8], 1);
    const float ends[] = {0, 1, 0.2F, 0.2F - 1e-7F};
    report_calibrate(ends, right, 4, &found);
    CHECK_UINT(found.n[0], 1);
    CHECK_UINT(found.n[14], 1);
    CHECK_UINT(found.n[3], 1);
    CHECK_UINT(found.n[2], 1);
    report_calibrate(ends, right, 0, &found);
    CHECK(isnan(found.ece));
}

static void histogram(void)
{
    const double residuals[] = {-2, 0, 0.01, 2, 1.99, (double)NAN, (double)INFINITY};
    struct report_histogram found;
    report_count_residuals(residuals, 7, &found);
    CHECK_NEAR(found.limit, 2, 0);
    CHECK_UINT(found.n[0], 1);
    CHECK_UINT(found.n[REPORT_N_BARS / 2], 2);
    CHECK_UINT(found.n[REPORT_N_BARS - 1], 2);
    report_count_residuals(residuals + 1, 1, &found);
    CHECK_NEAR(found.limit, 0, 0);
    CHECK_UINT(found.n[REPORT_N_BARS / 2], 1);
}

/* ---- text, numbers, images ---- */

/* What `print` prints; valid until the next call. */
static char printed[1 << 16];

static FILE *begin_print(void)
{
    memset(printed, 0, sizeof printed);
    return fmemopen(printed, sizeof printed - 1, "w");
}

static void escaped_text(void)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {{HOSTILE, HOSTILE_SHOWN},
                 {"a\tb\x1b[0m\x7f", "a?b?[0m?"},
                 {"\xff\xc3[", "??["},
                 {"caf\xc3\xa9 \xf0\x9f\x90\x88", "caf\xc3\xa9 \xf0\x9f\x90\x88"},
                 {"\xc2\x85\xef\xbf\xbf", "??"},
                 {"a\xe2\x80\xaa\xe2\x80\xae\xe2\x81\xa6\xe2\x81\xa9z", "a????z"},
                 {"\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa",
                  "\xe2\x80\xa9\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa"},
                 {"", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FILE *out = begin_print();
        report_print_text(out, cases[i].text);
        fclose(out);
        CHECK_STR(printed, cases[i].wanted);
    }
}

static void numbers(void)
{
    FILE *out = begin_print();
    report_print_count(out, 0);
    putc(' ', out);
    report_print_count(out, 999);
    putc(' ', out);
    report_print_count(out, 1000);
    putc(' ', out);
    report_print_count(out, 1234567);
    fclose(out);
    CHECK_STR(printed, "0 999 1,000 1,234,567");
    static const struct {
        double value;
        const char *wanted;
    } reals[] = {{0, "0.0000"},        {0.98134, "0.9813"}, {-12.345, "-12.35"},
                 {123.45, "123.5"},    {1234.5, "1234"},    {1e-5, "1e-05"},
                 {3e9, "3e+09"},       {1.5, "1.500"},      {(double)NAN, "&#8211;"},
                 {HUGE_VAL, "&#8211;"}};
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        out = begin_print();
        report_print_real(out, reals[i].value);
        fclose(out);
        CHECK_STR(printed, reals[i].wanted);
    }
    static const struct {
        double seconds;
        const char *wanted;
    } times[] = {{0.0123, "12.3&nbsp;ms"},
                 {3.21, "3.2&nbsp;s"},
                 {245, "4&nbsp;min 5&nbsp;s"},
                 {3720, "1&nbsp;h 2&nbsp;min"},
                 {(double)NAN, "&#8211;"}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        out = begin_print();
        report_print_seconds(out, times[i].seconds);
        fclose(out);
        CHECK_STR(printed, times[i].wanted);
    }
}

/* The test vectors of RFC 4648, section 10. */
static void base64(void)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char text[20];
        unsigned char bytes[8] = "";
        size_t n = strlen(pairs[i][0]);
        report_base64_encode((const unsigned char *)pairs[i][0], n, text);
        CHECK_STR(text, pairs[i][1]);
        CHECK_UINT(report_base64_size(n), strlen(text) + 1);
        CHECK(report_base64_decode(text, bytes, n));
        CHECK_BYTES(bytes, pairs[i][0], n);
    }
    unsigned char bytes[4];
    CHECK(!report_base64_decode("Zg==", bytes, 2));
    CHECK(!report_base64_decode("Zm8=", bytes, 3));
    CHECK(!report_base64_decode("Z!8=", bytes, 2));
    CHECK(!report_base64_decode("Zm9", bytes, 3));
    CHECK(!report_base64_decode("====", bytes, 1));
}

/* Field by field: two pixels, of which the left one is red and the right one blue. */
static void bitmap(void)
{
    const unsigned char pixels[] = {255, 0, 0, 0, 0, 255};
    const struct report_bitmap color = {.width = 2, .height = 1, .channels = 3, .pixels = pixels};
    static const unsigned char wanted[62] = {
        'B', 'M', 62, 0, 0, 0, 0, 0,  0, 0, 54, 0, 0, 0, 40,  0,   0, 0, 2, 0, 0,
        0,   1,   0,  0, 0, 1, 0, 24, 0, 0, 0,  0, 0, 0, 0,   0,   0, 0, 0, 0, 0,
        0,   0,   0,  0, 0, 0, 0, 0,  0, 0, 0,  0, 0, 0, 255, 255, 0, 0, 0, 0};
    static const char start[] = "data:image/bmp;base64,";
    FILE *out = begin_print();
    CHECK_OK(report_bitmap_print(out, &color, &err), &err);
    fclose(out);
    CHECK(strncmp(printed, start, strlen(start)) == 0);
    unsigned char got[62];
    if (CHECK(report_base64_decode(printed + strlen(start), got, sizeof got))) {
        CHECK_BYTES(got, wanted, sizeof wanted);
    }
    const unsigned char grey[] = {10, 20, 30, 40};
    const struct report_bitmap two_rows = {.width = 2, .height = 2, .channels = 1, .pixels = grey};
    out = begin_print();
    CHECK_OK(report_bitmap_print(out, &two_rows, &err), &err);
    fclose(out);
    unsigned char file[54 + 1024 + 8];
    if (CHECK(report_base64_decode(printed + strlen(start), file, sizeof file))) {
        static const unsigned char rows[] = {30, 40, 0, 0, 10, 20, 0, 0};
        CHECK_BYTES(file + 54 + 1024, rows, sizeof rows);
        CHECK_UINT(file[54 + 4 * 7], 7);
    }
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        n++;
    }
    return n;
}

static void charts(void)
{
    const double x[] = {1, 2, 3, 4}, y[] = {0.5, (double)NAN, 0.25, 0.125};
    const struct report_line lines[] = {
        {.name = HOSTILE, .x = x, .y = y, .n = 4, .remark = 0.5},
        {.name = "none", .x = y + 1, .y = x, .n = 1, .remark = (double)NAN}};
    struct report_chart chart = {.title = HOSTILE,
                                 .x = {.name = "x", .low = (double)NAN, .high = (double)NAN},
                                 .y = {.name = "y", .low = (double)NAN, .high = (double)NAN},
                                 .hover = true,
                                 .lines = lines,
                                 .n_lines = 2};
    FILE *out = begin_print();
    report_chart_print(out, &chart);
    fclose(out);
    CHECK_HAS(printed, "data-p=\"1,0.5 3,0.25 4,0.125\"");
    CHECK_HAS(printed, "<h3>" HOSTILE_SHOWN "</h3>");
    CHECK_HAS(printed, "data-name=\"" HOSTILE_SHOWN "\"");
    CHECK(strstr(printed, "<script") == NULL);
    CHECK(strstr(printed, ">none") == NULL); /* no legend for a line without points */
    CHECK_UINT(count(printed, "<figure"), 1);
    CHECK_UINT(count(printed, "nan"), 0);
    chart.lines = lines + 1;
    chart.n_lines = 1;
    out = begin_print();
    report_chart_print(out, &chart);
    fclose(out);
    CHECK_STR(printed, "");
    /* One point, and points that are all the same, have a scale too. */
    const double same[] = {3, 3}, zero[] = {0, 0};
    const struct report_line flat[] = {{.name = "a", .x = same, .y = zero, .n = 2}};
    chart.lines = flat;
    out = begin_print();
    report_chart_print(out, &chart);
    fclose(out);
    CHECK_UINT(count(printed, "nan") + count(printed, "inf"), 0);
    CHECK_HAS(printed, "data-p=\"3,0 3,0\"");
}

/* A line whose points lie far apart is a line all the same, and of very many points some are shown,
 * whatever the rhythm of those that are known. */
static void lines_with_gaps(void)
{
    enum { N = 4001 };
    double x[N], y[N];
    for (size_t known = 1; known <= 12; known++) {
        for (size_t i = 0; i < N; i++) {
            x[i] = (double)i;
            y[i] = (i + 1) % known == 0 ? (double)i : (double)NAN;
        }
        const struct report_line line = {.name = "a", .x = x, .y = y, .n = N};
        const struct report_chart chart = {
            .title = "t",
            .x = {.name = "x", .low = (double)NAN, .high = (double)NAN},
            .y = {.name = "y", .low = (double)NAN, .high = (double)NAN},
            .lines = &line,
            .n_lines = 1};
        FILE *out = begin_print();
        report_chart_print(out, &chart);
        fclose(out);
        const char *path = strstr(printed, " line\" d=\"");
        CU_ASSERT_FATAL(path != NULL);
        size_t n = N / known, stride = (n - 1) / 400 + 1;
        size_t wanted = (n - 1) / stride + ((n - 1) % stride != 0);
        size_t len = strcspn(path + 10, "\""), n_moves = 0, n_lines = 0;
        for (size_t i = 0; i < len; i++) {
            n_moves += path[10 + i] == 'M';
            n_lines += path[10 + i] == 'L';
        }
        CHECK_UINT(n_moves, 1);
        CHECK_UINT(n_lines, wanted);
    }
}

/* ---- run directories ---- */

static const char *file_in(const char *directory, const char *name)
{
    static char path[4][512];
    static size_t next;
    char *out = path[next++ % 4];
    snprintf(out, sizeof path[0], "%s/%s", directory, name);
    return out;
}

static void write_text(const char *path, const char *text, size_t n)
{
    FILE *file = fopen(path, "wb");
    CU_ASSERT_FATAL(file != NULL);
    CHECK_UINT(fwrite(text, 1, n, file), n);
    fclose(file);
}

static char *read_text(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    CU_ASSERT_FATAL(file != NULL);
    char *text = malloc(1 << 20);
    *n = fread(text, 1, (1 << 20) - 1, file);
    text[*n] = '\0';
    fclose(file);
    return text;
}

struct fixture {
    char directory[400];
    weft_context *context;
    weft_net *net;
    weft_dataset *train, *test;
    struct report_subject subject;
};

static void write_config(const struct fixture *fixture)
{
    static const char config[] = "# a comment\n[data]\ndata = " HOSTILE "\nlabel =\n\n"
                                 "[training]\nlr = 0.5\nmomentum = 0\n";
    static const char metrics[] =
        "{\"epoch\":1,\"step\":4,\"lr\":0.5,\"train_loss\":0.7,\"train_accuracy\":0.5,"
        "\"seconds\":0.01}\n"
        "{\"epoch\":2,\"step\":8,\"lr\":0.25,\"train_loss\":0.6,\"train_accuracy\":0.75,"
        "\"test_loss\":0.65,\"test_accuracy\":null,\"seconds\":0.02}\n";
    write_text(file_in(fixture->directory, "config.ini"), config, strlen(config));
    write_text(file_in(fixture->directory, "metrics.jsonl"), metrics, strlen(metrics));
    CHECK_OK(weft_model_save(fixture->net, file_in(fixture->directory, "model.safetensors"), &err),
             &err);
}

static struct fixture make_fixture(const char *name, weft_output output)
{
    struct fixture fixture = {.context = synthetic_context(1)};
    snprintf(fixture.directory, sizeof fixture.directory, "%s/%s", harness_temp_dir(), name);
    mkdir(fixture.directory, 0777);
    bool classes = output == WEFT_OUTPUT_SOFTMAX;
    size_t n_outputs = classes ? 3 : 2;
    const char *names[] = {HOSTILE, "<b>", "plain"};
    fixture.net = synthetic_net(64, (size_t[]){5, 0}, WEFT_TANH, n_outputs, output, 3);
    CHECK_OK(weft_net_set_class_names(fixture.net, names, n_outputs, &err), &err);
    fixture.train =
        classes ? synthetic_classes(WEFT_U8, 90, 64, 3, 0.4, 1) : synthetic_values(90, 64, 2, 1);
    fixture.test =
        classes ? synthetic_classes(WEFT_U8, 60, 64, 3, 0.4, 2) : synthetic_values(60, 64, 2, 2);
    fixture.subject = (struct report_subject){
        .context = fixture.context,
        .net = fixture.net,
        .train = fixture.train,
        .test = fixture.test,
        .train_path = HOSTILE,
        .val_path = HOSTILE,
        .test_path = "test \xff",
        .outcome = "finished",
        .ended = "2026-01-02 03:04 UTC",
        .epochs = 2,
        .steps = 8,
        .load_seconds = 0.5,
        .train_seconds = 1,
        .watch_seconds = 0.25,
        .test_seconds = 0.125,
        .kernels = "generic",
        .precision = "f32",
        .compiler = "cc",
        .cpu = "CPU <1>",
        .system = "Linux",
        .threads = 1,
        .cores = 2,
    };
    write_config(&fixture);
    return fixture;
}

static void release_fixture(struct fixture *fixture)
{
    weft_net_free(fixture->net);
    weft_dataset_free(fixture->train);
    weft_dataset_free(fixture->test);
    weft_context_free(fixture->context);
}

static weft_status write_evaluation(const struct fixture *fixture)
{
    return report_evaluation_write(&fixture->subject,
                                   file_in(fixture->directory, REPORT_EVALUATION_FILE), &err);
}

static weft_status write_page(const struct fixture *fixture)
{
    const char *run = fixture->directory;
    bool unwritten;
    return report_page_write(&run, 1, file_in(fixture->directory, REPORT_PAGE_FILE), &unwritten,
                             &err);
}

/* What is in the file is what weft_evaluate() says. */
static void evaluation_of_classes(void)
{
    struct fixture fixture = make_fixture("classes", WEFT_OUTPUT_SOFTMAX);
    json_t *root = NULL;
    CHECK_OK(write_evaluation(&fixture), &err);
    CHECK_OK(
        report_evaluation_read(file_in(fixture.directory, REPORT_EVALUATION_FILE), &root, &err),
        &err);
    weft_evaluation found;
    CHECK_OK(weft_evaluate(fixture.context, fixture.net, fixture.test, &found, &err), &err);
    CHECK_NEAR(json_number_value(json_object_get(root, "loss")), found.loss, 1e-6);
    CHECK_NEAR(json_number_value(json_object_get(root, "accuracy")), found.accuracy, 1e-6);
    CHECK_STR(json_string_value(json_object_get(root, "set")), "test");
    const json_t *confusion = json_object_get(root, "confusion");
    for (size_t i = 0; i < 9; i++) {
        const json_t *cell = json_array_get(json_array_get(confusion, i / 3), i % 3);
        CHECK_INT(json_integer_value(cell), (long long)found.confusion[i]);
    }
    const json_t *class = json_array_get(json_object_get(root, "classes"), 0);
    CHECK_STR(json_string_value(json_object_get(class, "name")), HOSTILE);
    CHECK_NEAR(json_number_value(json_object_get(class, "recall")), found.by_class[0].recall, 1e-6);
    const json_t *samples = json_object_get(root, "predictions");
    long long n_right = json_integer_value(json_object_get(samples, "n_right"));
    CHECK_NEAR((double)n_right / 60, found.accuracy, 1e-9);
    /* 64 bytes are an image of 8 x 8. */
    CHECK_INT(json_integer_value(json_object_get(json_object_get(root, "image"), "width")), 8);
    const json_t *wrong = json_array_get(json_object_get(samples, "wrong"), 0);
    unsigned char pixels[64];
    size_t index = (size_t)json_integer_value(json_object_get(wrong, "sample"));
    if (CHECK(report_base64_decode(json_string_value(json_object_get(wrong, "pixels")), pixels,
                                   64))) {
        weft_tensor x = weft_dataset_x(fixture.test);
        CHECK_BYTES(pixels, (const unsigned char *)x.data + index * x.ld, 64);
    }
    weft_evaluation_release(&found);
    json_decref(root);
    release_fixture(&fixture);
}

static void evaluation_of_values(void)
{
    struct fixture fixture = make_fixture("values", WEFT_OUTPUT_IDENTITY);
    json_t *root = NULL;
    weft_evaluation found;
    fixture.subject.val = fixture.subject.test;
    fixture.subject.test = NULL;
    CHECK_OK(write_evaluation(&fixture), &err);
    CHECK_OK(
        report_evaluation_read(file_in(fixture.directory, REPORT_EVALUATION_FILE), &root, &err),
        &err);
    CHECK_OK(weft_evaluate(fixture.context, fixture.net, fixture.test, &found, &err), &err);
    CHECK_STR(json_string_value(json_object_get(root, "set")), "val");
    const json_t *outputs = json_object_get(root, "outputs");
    double squares = 0, r2 = 0;
    for (size_t i = 0; i < 2; i++) {
        const json_t *output = json_array_get(outputs, i);
        double rmse = json_number_value(json_object_get(output, "rmse"));
        squares += rmse * rmse / 2;
        r2 += json_number_value(json_object_get(output, "r2")) / 2;
        CHECK_UINT(json_array_size(json_object_get(output, "points")), 60);
    }
    CHECK_NEAR(sqrt(squares), found.rmse, 1e-6);
    CHECK_NEAR(r2, found.r2, 1e-5);
    weft_evaluation_release(&found);
    json_decref(root);
    CHECK_OK(write_page(&fixture), &err);
    size_t n;
    char *page = read_text(file_in(fixture.directory, REPORT_PAGE_FILE), &n);
    CHECK_HAS(page, "<h2>Predicted values</h2>");
    CHECK_HAS(page, "validation set");
    CHECK(strstr(page, "<h2>Confusion</h2>") == NULL);
    free(page);
    release_fixture(&fixture);
}

/* Samples "farthest" from the truth get nearer, from number `first` of the list on. */
static void check_order(const json_t *root, size_t first)
{
    const json_t *list = json_object_get(json_object_get(root, "predictions"), "farthest");
    double last = HUGE_VAL;
    CHECK(json_array_size(list) > first);
    for (size_t i = first; i < json_array_size(list); i++) {
        const json_t *sample = json_array_get(list, i);
        double off = fabs(json_number_value(json_object_get(sample, "predicted")) -
                          json_number_value(json_object_get(sample, "truth")));
        CHECK(off <= last + 1e-5);
        last = off;
    }
}

/* Several sigmoids: each label for itself. */
static void evaluation_of_labels(void)
{
    struct fixture fixture = make_fixture("labels", WEFT_OUTPUT_SIGMOID);
    CHECK_OK(write_evaluation(&fixture), &err);
    CHECK_OK(write_page(&fixture), &err);
    json_t *root = NULL;
    CHECK_OK(
        report_evaluation_read(file_in(fixture.directory, REPORT_EVALUATION_FILE), &root, &err),
        &err);
    check_order(root, 0);
    json_decref(root);
    size_t n;
    char *page = read_text(file_in(fixture.directory, REPORT_PAGE_FILE), &n);
    CHECK_HAS(page, "<h2>Labels</h2>");
    CHECK_HAS(page, "<h3>Farthest from the truth</h3>");
    CHECK_HAS(page, "<h3>Calibration</h3>");
    free(page);
    release_fixture(&fixture);
}

/* Names from outside stay text wherever they appear; the page asks for nothing. */
static void hostile_page(void)
{
    struct fixture fixture = make_fixture("run <i>&", WEFT_OUTPUT_SOFTMAX);
    CHECK_OK(write_evaluation(&fixture), &err);
    CHECK_OK(write_page(&fixture), &err);
    size_t n, n_again;
    char *page = read_text(file_in(fixture.directory, REPORT_PAGE_FILE), &n);
    CHECK_UINT(count(page, "<script>"), 1);
    CHECK_UINT(count(page, "<script"), 1);
    CHECK_UINT(count(page, "<i>"), 0);
    CHECK_UINT(count(page, "<b></b>"), 0);
    CHECK(count(page, HOSTILE_SHOWN) > 5);
    CHECK_HAS(page, "<h1>run &lt;i&gt;&amp;</h1>");
    CHECK_HAS(page, "default-src 'none'");
    CHECK_UINT(count(page, "http://") + count(page, "https://") + count(page, "url("), 0);
    static const char *const sections[] = {"Learning", "Confusion",   "Samples",
                                           "Classes",  "First layer", "Where the time went"};
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        char head[60];
        snprintf(head, sizeof head, "<h2>%s</h2>", sections[i]);
        CHECK_HAS(page, head);
    }
    /* The same files, the same bytes. */
    CHECK_OK(write_page(&fixture), &err);
    char *again = read_text(file_in(fixture.directory, REPORT_PAGE_FILE), &n_again);
    CHECK_UINT(n_again, n);
    CHECK_STR(again, page);
    free(page);
    free(again);
    release_fixture(&fixture);
}

static void comparison(void)
{
    struct fixture a = make_fixture("a", WEFT_OUTPUT_SOFTMAX);
    struct fixture b = make_fixture("b<i>", WEFT_OUTPUT_IDENTITY);
    CHECK_OK(write_evaluation(&a), &err);
    CHECK_OK(write_evaluation(&b), &err);
    const char *config = file_in(b.directory, "config.ini");
    static const char settings[] = "[training]\nlr = 0.125\nmomentum = 0\n";
    write_text(config, settings, strlen(settings));
    const char *runs[] = {a.directory, b.directory};
    const char *out = file_in(a.directory, "both.html");
    bool unwritten = true;
    CHECK_OK(report_page_write(runs, 2, out, &unwritten, &err), &err);
    size_t n;
    char *page = read_text(out, &n);
    CHECK_HAS(page, "<h1>2 runs</h1>");
    CHECK_HAS(page, "b&lt;i&gt;");
    CHECK_HAS(page, "<th scope=\"row\">lr</th><td class=\"word\">0.5</td>"
                    "<td class=\"word\">0.125</td>");
    CHECK(strstr(page, "momentum") == NULL);
    CHECK_UINT(count(page, "<script"), 1);
    free(page);
    const char *many[REPORT_MOST_RUNS + 1];
    for (size_t i = 0; i <= REPORT_MOST_RUNS; i++) {
        many[i] = a.directory;
    }
    CHECK_STATUS(report_page_write(many, REPORT_MOST_RUNS + 1, out, &unwritten, &err), WEFT_ERR_ARG,
                 &err);
    CHECK_STATUS(report_page_write(runs, 2, file_in(a.directory, "none/x.html"), &unwritten, &err),
                 WEFT_ERR_IO, &err);
    CHECK(unwritten);
    release_fixture(&a);
    release_fixture(&b);
}

/* ---- broken files ---- */

/* Config and metrics must be there, a network where there is an evaluation. */
static void missing_files(void)
{
    struct fixture fixture = make_fixture("missing", WEFT_OUTPUT_SOFTMAX);
    static const char *const names[] = {"config.ini", "metrics.jsonl", "model.safetensors"};
    CHECK_OK(write_evaluation(&fixture), &err);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *path = file_in(fixture.directory, names[i]);
        size_t n;
        char *text = read_text(path, &n);
        CHECK_INT(unlink(path), 0);
        CHECK_STATUS(write_page(&fixture), WEFT_ERR_IO, &err);
        CHECK_HAS(err.message, names[i]);
        write_text(path, text, n);
        free(text);
    }
    CHECK_OK(write_page(&fixture), &err);
    for (size_t i = 0; i < 2; i++) {
        size_t n;
        CHECK_INT(unlink(file_in(fixture.directory,
                                 i == 0 ? REPORT_EVALUATION_FILE : "model.safetensors")),
                  0);
        CHECK_OK(write_page(&fixture), &err);
        char *page = read_text(file_in(fixture.directory, REPORT_PAGE_FILE), &n);
        CHECK_HAS(page, "There is no evaluation of this run");
        CHECK_HAS(page, "<h2>Learning</h2>");
        CHECK(strstr(page, "<h2>Confusion</h2>") == NULL);
        CHECK((strstr(page, "64-5-3") != NULL) == (i == 0));
        free(page);
    }
    release_fixture(&fixture);
}

/* Cut anywhere, the file is refused by its name; and so it is with any of its values replaced by
 * one of another type, and with any of them missing that must be there. */
static void truncated_evaluation(void)
{
    struct fixture fixture = make_fixture("cut", WEFT_OUTPUT_SOFTMAX);
    CHECK_OK(write_evaluation(&fixture), &err);
    const char *path = file_in(fixture.directory, REPORT_EVALUATION_FILE);
    size_t n;
    char *text = read_text(path, &n);
    size_t stride = HARNESS_SLOW_BUILD ? 97 : 13;
    for (size_t cut = 0; cut + 2 < n; cut += stride) {
        json_t *root = NULL;
        write_text(path, text, cut);
        if (!CHECK_STATUS(report_evaluation_read(path, &root, &err), WEFT_ERR_FORMAT, &err)) {
            json_decref(root);
            break;
        }
        CHECK_HAS(err.message, REPORT_EVALUATION_FILE);
    }
    free(text);
    release_fixture(&fixture);
}

/* Replaces the value of each key of an object, one at a time and deeper ones too, and expects that
 * what is read then is refused or can be shown. */
static void spoil(const struct fixture *fixture, json_t *root, json_t *object, size_t *n_refused)
{
    const char *key;
    json_t *value;
    const char *path = file_in(fixture->directory, REPORT_EVALUATION_FILE);
    void *next;
    json_object_foreach_safe(object, next, key, value)
    {
        json_incref(value);
        json_t *const others[] = {json_string("x"), json_integer(-1), json_object(), json_array(),
                                  json_integer(1000000)};
        for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
            json_object_set_new(object, key, others[i]);
            CHECK_INT(json_dump_file(root, path, JSON_COMPACT), 0);
            weft_status status = write_page(fixture);
            CHECK(status == WEFT_OK || status == WEFT_ERR_FORMAT || status == WEFT_ERR_MISMATCH);
            *n_refused += status != WEFT_OK;
        }
        json_object_set(object, key, value);
        json_t *first = json_is_array(value) ? json_array_get(value, 0) : value;
        if (json_is_object(first)) {
            spoil(fixture, root, first, n_refused);
        }
        json_decref(value);
    }
}

static void spoiled_evaluation(void)
{
    struct fixture fixture = make_fixture("spoiled", WEFT_OUTPUT_SOFTMAX);
    json_t *root = NULL;
    size_t n_refused = 0;
    CHECK_OK(write_evaluation(&fixture), &err);
    CHECK_OK(
        report_evaluation_read(file_in(fixture.directory, REPORT_EVALUATION_FILE), &root, &err),
        &err);
    spoil(&fixture, root, root, &n_refused);
    CHECK(n_refused > 200);
    json_decref(root);
    release_fixture(&fixture);
}

static void broken_lines(void)
{
    struct fixture fixture = make_fixture("lines", WEFT_OUTPUT_SOFTMAX);
    static const struct {
        const char *file, *text, *message;
    } cases[] = {
        {"metrics.jsonl", "{\"epoch\":1}\n{\"epoch\":", "metrics.jsonl:2: wanted an epoch"},
        {"metrics.jsonl", "[1]\n", "metrics.jsonl:1: wanted an epoch"},
        {"metrics.jsonl", "{\"epoch\":\"<script>\"}\n", "metrics.jsonl:1: wanted an epoch"},
        {"config.ini", "[data]\nnonsense\n", "config.ini:2: wanted 'key = value'"},
        {"config.ini", "a = \xff\n", "config.ini:1: wanted 'key = value'"},
        {"evaluation.json", "{}", "evaluation.json: wanted format 1; got 0"},
        {"evaluation.json", "{\"format\":2}", "evaluation.json: wanted format 1; got 2"},
        {"evaluation.json", "[]", "evaluation.json: wanted format 1"},
        {"model.safetensors", "x", "model.safetensors"},
    };
    CHECK_OK(write_evaluation(&fixture), &err);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = file_in(fixture.directory, cases[i].file);
        size_t n;
        char *text = read_text(path, &n);
        write_text(path, cases[i].text, strlen(cases[i].text));
        CHECK_STATUS(write_page(&fixture), WEFT_ERR_FORMAT, &err);
        CHECK_HAS(err.message, cases[i].message);
        write_text(path, text, n);
        free(text);
    }
    /* An evaluation of another network. */
    struct fixture other = make_fixture("other", WEFT_OUTPUT_SOFTMAX);
    weft_net *narrow = synthetic_net(9, (size_t[]){5, 0}, WEFT_TANH, 3, WEFT_OUTPUT_SOFTMAX, 3);
    CHECK_OK(weft_model_save(narrow, file_in(fixture.directory, "model.safetensors"), &err), &err);
    CHECK_STATUS(write_page(&fixture), WEFT_ERR_MISMATCH, &err);
    CHECK_HAS(err.message, "evaluation.json: is of another network");
    weft_net_free(narrow);
    release_fixture(&other);
    release_fixture(&fixture);
}

static char *page_of(const struct fixture *fixture)
{
    size_t n;
    CHECK_OK(write_page(fixture), &err);
    return read_text(file_in(fixture->directory, REPORT_PAGE_FILE), &n);
}

/* What a page says of means: of the classes that have such a number. */
static void means_of_classes(void)
{
    struct fixture fixture = make_fixture("means", WEFT_OUTPUT_SOFTMAX);
    CHECK_OK(write_evaluation(&fixture), &err);
    const char *path = file_in(fixture.directory, REPORT_EVALUATION_FILE);
    json_t *root = json_load_file(path, 0, NULL), *classes = json_object_get(root, "classes");
    static const double areas[] = {0.5, 0.9875};
    for (size_t i = 0; i < 3; i++) {
        json_object_set_new(json_array_get(classes, i), "auc",
                            i < 2 ? json_real(areas[i]) : json_null());
    }
    CHECK_INT(json_dump_file(root, path, 0), 0);
    json_decref(root);
    char *page = page_of(&fixture);
    CHECK_HAS(page, "<span>Mean ROC AUC</span><b>0.7438</b>");
    const char *foot = strstr(page, "<tfoot>");
    CU_ASSERT_FATAL(foot != NULL);
    CHECK_HAS(foot, "<td>0.7438</td>");
    free(page);
    release_fixture(&fixture);
}

/* More classes than areas are measured of: no mean of some, and the text says of which. */
static void very_many_classes(void)
{
    enum { N = 120 };
    struct fixture fixture = make_fixture("many", WEFT_OUTPUT_SOFTMAX);
    weft_net_free(fixture.net);
    weft_dataset_free(fixture.train);
    weft_dataset_free(fixture.test);
    fixture.net = synthetic_net(64, (size_t[]){5, 0}, WEFT_TANH, N, WEFT_OUTPUT_SOFTMAX, 3);
    fixture.train = synthetic_classes(WEFT_U8, 2 * N, 64, N, 0.4, 1);
    fixture.test = synthetic_classes(WEFT_U8, 2 * N, 64, N, 0.4, 2);
    fixture.subject.net = fixture.net;
    fixture.subject.train = fixture.train;
    fixture.subject.test = fixture.test;
    write_config(&fixture);
    CHECK_OK(write_evaluation(&fixture), &err);
    char *page = page_of(&fixture);
    CHECK_HAS(page, "of the first 100 classes the ten with the smallest areas");
    CHECK(strstr(page, "Mean ROC AUC") == NULL);
    const char *foot = strstr(page, "<tfoot>");
    CU_ASSERT_FATAL(foot != NULL);
    CHECK_HAS(foot, "<td>&#8211;</td><td>&#8211;</td></tr></tfoot>");
    free(page);
    release_fixture(&fixture);
}

/* What is predicted as no number is farthest from the truth, and hides no other. */
static void farthest_without_number(void)
{
    struct fixture fixture = make_fixture("farthest", WEFT_OUTPUT_IDENTITY);
    json_t *root = NULL;
    weft_tensor x = weft_dataset_x(fixture.test);
    CU_ASSERT_FATAL(x.dtype == WEFT_F32);
    ((float *)x.data)[7 * x.ld] = NAN;
    CHECK_OK(write_evaluation(&fixture), &err);
    CHECK_OK(
        report_evaluation_read(file_in(fixture.directory, REPORT_EVALUATION_FILE), &root, &err),
        &err);
    const json_t *list = json_object_get(json_object_get(root, "predictions"), "farthest");
    CHECK_INT(json_integer_value(json_object_get(json_array_get(list, 0), "sample")), 7);
    check_order(root, 1);
    json_decref(root);
    /* On the page null is no point, least of all (0, 0). */
    char *page = page_of(&fixture);
    CHECK(strstr(page, "nan") == NULL);
    free(page);
    release_fixture(&fixture);
}

/* A run of no epochs has no curves. */
static void no_epochs(void)
{
    struct fixture fixture = make_fixture("start", WEFT_OUTPUT_SOFTMAX);
    write_text(file_in(fixture.directory, "metrics.jsonl"), "", 0);
    fixture.subject.epochs = fixture.subject.steps = 0;
    CHECK_OK(write_evaluation(&fixture), &err);
    CHECK_OK(write_page(&fixture), &err);
    size_t n;
    char *page = read_text(file_in(fixture.directory, REPORT_PAGE_FILE), &n);
    CHECK(strstr(page, "<h2>Learning</h2>") == NULL);
    CHECK_HAS(page, "<h2>Confusion</h2>");
    free(page);
    release_fixture(&fixture);
}

static void no_memory(void)
{
    struct fixture fixture = make_fixture("memory", WEFT_OUTPUT_SOFTMAX);
    for (size_t pass = 0; pass < 2; pass++) {
        size_t before = weft_mem_count();
        CHECK_OK(pass == 0 ? write_evaluation(&fixture) : write_page(&fixture), &err);
        size_t n = weft_mem_count() - before;
        CHECK(n > 10);
        for (size_t i = 1; i <= n; i++) {
            weft_mem_fail_at(i);
            weft_status status = pass == 0 ? write_evaluation(&fixture) : write_page(&fixture);
            weft_mem_fail_at(0);
            CHECK(status == WEFT_OK || status == WEFT_ERR_NOMEM);
        }
        CHECK_OK(pass == 0 ? write_evaluation(&fixture) : write_page(&fixture), &err);
    }
    release_fixture(&fixture);
}

int main(int argc, char **argv)
{
    static CU_TestInfo measures[] = {
        {"known_ranking", known_ranking},
        {"ties", ties},
        {"one_kind_only", one_kind_only},
        {"thinned_curves", thinned_curves},
        {"calibration", calibration},
        {"histogram", histogram},
        CU_TEST_INFO_NULL,
    };
    static CU_TestInfo pieces[] = {
        {"escaped_text", escaped_text},
        {"numbers", numbers},
        {"base64", base64},
        {"bitmap", bitmap},
        {"charts", charts},
        {"lines_with_gaps", lines_with_gaps},
        CU_TEST_INFO_NULL,
    };
    static CU_TestInfo runs[] = {
        {"evaluation_of_classes", evaluation_of_classes},
        {"evaluation_of_values", evaluation_of_values},
        {"evaluation_of_labels", evaluation_of_labels},
        {"hostile_page", hostile_page},
        {"comparison", comparison},
        {"means_of_classes", means_of_classes},
        {"very_many_classes", very_many_classes},
        {"farthest_without_number", farthest_without_number},
        {"no_epochs", no_epochs},
        {"no_memory", no_memory},
        CU_TEST_INFO_NULL,
    };
    static CU_TestInfo broken[] = {
        {"missing_files", missing_files},
        {"truncated_evaluation", truncated_evaluation},
        {"spoiled_evaluation", spoiled_evaluation},
        {"broken_lines", broken_lines},
        CU_TEST_INFO_NULL,
    };
    static const CU_SuiteInfo suites[] = {
        {"measures", NULL, NULL, NULL, NULL, measures},
        {"pieces", NULL, NULL, NULL, NULL, pieces},
        {"runs", NULL, NULL, NULL, NULL, runs},
        {"broken", NULL, NULL, NULL, NULL, broken},
        CU_SUITE_INFO_NULL,
    };
    return harness_main(argc, argv, suites);
}
