/* Text, numbers and the frame of pages. */
#include "report/report_html.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <weft/version.h>

#include "base/utf8.h"

static bool turns_text(const char *text)
{
    unsigned char last = (unsigned char)text[2];
    return (memcmp(text, "\xE2\x80", 2) == 0 && last >= 0xAA && last <= 0xAE) ||
           (memcmp(text, "\xE2\x81", 2) == 0 && last >= 0xA6 && last <= 0xA9);
}

void report_print_text(FILE *out, const char *text)
{
    static const struct {
        char c;
        const char *reference;
    } special[] = {{'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
    while (*text != '\0') {
        size_t len = weft_utf8_len(text), i = 0;
        while (i < sizeof special / sizeof *special && special[i].c != *text) {
            i++;
        }
        /* U+0080..U+009F, which are C2 80..C2 9F, are control characters too, HTML has no U+FFFE
         * and U+FFFF, and U+202A..U+202E and U+2066..U+2069 turn round what stands behind them
         * (unicode.org/reports/tr9). */
        bool control =
            (unsigned char)*text < 0x20 || *text == 0x7f ||
            (len == 2 && text[0] == '\xC2' && (unsigned char)text[1] < 0xA0) ||
            (len == 3 && memcmp(text, "\xEF\xBF", 2) == 0 && (unsigned char)text[2] >= 0xBE) ||
            (len == 3 && turns_text(text));
        if (i < sizeof special / sizeof *special) {
            fputs(special[i].reference, out);
        } else if (len == 0 || control) {
            putc('?', out);
        } else {
            fwrite(text, 1, len, out);
        }
        text += len > 0 ? len : 1;
    }
}

void report_print_count(FILE *out, size_t value)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%zu", value);
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            putc(',', out);
        }
        putc(digits[i], out);
    }
}

void report_print_real(FILE *out, double value)
{
    double size = fabs(value);
    if (!isfinite(value)) {
        fputs("&#8211;", out);
    } else if (size >= 1e7 || (size > 0 && size < 1e-4)) {
        fprintf(out, "%.3g", value);
    } else {
        int decimals = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4;
        fprintf(out, "%.*f", decimals, value);
    }
}

void report_print_percent(FILE *out, double fraction)
{
    if (isfinite(fraction)) {
        fprintf(out, "%.2f&nbsp;%%", 100 * fraction);
    } else {
        fputs("&#8211;", out);
    }
}

void report_print_seconds(FILE *out, double seconds)
{
    if (!isfinite(seconds)) {
        fputs("&#8211;", out);
    } else if (seconds < 1) {
        fprintf(out, "%.3g&nbsp;ms", 1000 * seconds);
    } else if (seconds < 60) {
        fprintf(out, "%.1f&nbsp;s", seconds);
    } else if (seconds < 3600) {
        fprintf(out, "%d&nbsp;min %d&nbsp;s", (int)(seconds / 60), (int)fmod(seconds, 60));
    } else {
        fprintf(out, "%.0f&nbsp;h %d&nbsp;min", floor(seconds / 3600),
                (int)(fmod(seconds, 3600) / 60));
    }
}

void report_page_begin(FILE *out, const char *title)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
          "img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
          "<meta name=\"generator\" content=\"weft ",
          out);
    report_print_text(out, weft_version());
    fputs("\">\n<title>", out);
    report_print_text(out, title);
    fputs("</title>\n<style>\n", out);
    fputs(report_style, out);
    fputs("</style>\n</head>\n<body>\n<main>\n", out);
}

void report_page_end(FILE *out)
{
    fputs("<footer>Made by weft ", out);
    report_print_text(out, weft_version());
    fputs("</footer>\n</main>\n<script>\n", out);
    fputs(report_script, out);
    fputs("</script>\n</body>\n</html>\n", out);
}
