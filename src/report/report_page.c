/* Pages: the report of a run, section by section. */
#include "report/report_page.h"

#include "base/fail.h"
#include "base/mem.h"
#include "base/safefile.h"
#include "report/report_compare.h"
#include "report/report_html.h"
#include "report/report_run.h"
#include "report/report_sections.h"

static weft_status print_run(FILE *out, const struct report_run *run, weft_error *err)
{
    report_page_begin(out, run->name);
    report_print_summary(out, run);
    weft_status status = report_print_learning(out, run, err);
    report_print_confusion(out, run);
    if (status == WEFT_OK) {
        status = report_print_outputs(out, run, err);
    }
    if (status == WEFT_OK) {
        status = report_print_samples(out, run, err);
    }
    report_print_classes(out, run);
    if (status == WEFT_OK) {
        status = report_print_rankings(out, run, err);
    }
    if (status == WEFT_OK) {
        status = report_print_weights(out, run, err);
    }
    report_print_time(out, run);
    report_print_settings(out, run);
    report_page_end(out);
    return status;
}

static weft_status write_page(const struct report_run *runs, size_t n, const char *path,
                              bool *unwritten, weft_error *err)
{
    struct weft_safefile file = {0};
    weft_status status = weft_safefile_open(&file, path, err);
    *unwritten = true;
    if (status != WEFT_OK) {
        return status;
    }
    status = n == 1 ? print_run(file.stream, runs, err)
                    : report_compare_print(file.stream, runs, n, err);
    if (status != WEFT_OK) {
        *unwritten = false;
        weft_safefile_abort(&file);
        return status;
    }
    return weft_safefile_commit(&file, err);
}

weft_status report_page_write(const char *const *paths, size_t n, const char *out, bool *unwritten,
                              weft_error *err)
{
    *unwritten = false;
    if (n == 0 || n > REPORT_MOST_RUNS) {
        return weft_fail(err, WEFT_ERR_ARG, "wanted 1 to %d run directories; got %zu",
                         REPORT_MOST_RUNS, n);
    }
    struct report_run *runs = weft_mem_zalloc(n, sizeof *runs);
    weft_status status = runs == NULL ? weft_fail_nomem(err, "run directories") : WEFT_OK;
    size_t n_read = 0;
    for (; status == WEFT_OK && n_read < n; n_read++) {
        status = report_run_read(paths[n_read], &runs[n_read], err);
    }
    if (status == WEFT_OK) {
        status = write_page(runs, n, out, unwritten, err);
    }
    for (size_t i = 0; i < n_read; i++) {
        report_run_release(&runs[i]);
    }
    weft_mem_free(runs);
    return status;
}
