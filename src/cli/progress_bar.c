/* The progress bar and the lines between. Escape sequences are those of ECMA-48: erase to the end
 * of the line (EL), colours (SGR). */
#include "cli/progress_bar.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/messages.h"

static const double seconds_between = 0.1;

enum { BAR_MOST = 30, BAR_LEAST = 8, ROOMY = 95 };

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0';
}

/* The first of these variables that is set decides (POSIX, Base Definitions 8.2). */
static bool locale_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && *value != '\0') {
            return strstr(value, "UTF-8") != NULL || strstr(value, "utf8") != NULL;
        }
    }
    return false;
}

void cli_progress_init(struct cli_progress *progress, bool quiet, size_t every)
{
    const char *term = getenv("TERM");
    bool able = isatty(STDERR_FILENO) && term != NULL && *term != '\0' && strcmp(term, "dumb") != 0;
    *progress = (struct cli_progress){
        .quiet = quiet,
        .bar = able && !quiet,
        .color = able && !is_set("NO_COLOR"),
        .utf8 = locale_is_utf8(),
        .every = every,
    };
}

size_t cli_progress_every(size_t epochs)
{
    static const size_t steps[] = {1, 2, 5};
    for (size_t power = 1;; power *= 10) {
        for (size_t i = 0; i < 3; i++) {
            if (epochs / (steps[i] * power) <= 20) {
                return steps[i] * power;
            }
        }
    }
}

static size_t terminal_width(void)
{
    struct winsize window;
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0;
    return known ? window.ws_col : 80;
}

static void rate_text(double rate, const char *unit, char *text, size_t size)
{
    if (rate >= 1e6) {
        snprintf(text, size, "%.1fM%s", rate / 1e6, unit);
    } else if (rate >= 1e4) {
        snprintf(text, size, "%.0fk%s", rate / 1e3, unit);
    } else {
        snprintf(text, size, "%.0f%s", rate, unit);
    }
}

/* Whole seconds: the last digit of an estimate need not flicker. */
static void eta_text(double seconds, char *text, size_t size)
{
    if (seconds < 3600) {
        long whole = lround(ceil(seconds));
        snprintf(text, size, "%ld:%02ld", whole / 60, whole % 60);
    } else {
        cli_duration_text(seconds, text, size);
    }
}

/* "loss 0.0812  accuracy 97.43 %  182k samples/s  ETA 0:04" */
static void measures(const struct cli_progress *progress, const weft_event *event, const char *unit,
                     char *text, size_t size)
{
    double n = (double)(progress->n_batches > 0 ? progress->n_batches : 1);
    char loss[40], accuracy[40] = "", rate[40], eta[40];
    if (!isnan(progress->accuracy)) {
        snprintf(accuracy, sizeof accuracy, "  accuracy %5.2f %%", 100 * progress->accuracy / n);
    }
    double steps = (double)event->step, seconds = event->seconds > 0 ? event->seconds : 1e-9;
    rate_text(steps / (double)event->steps_per_epoch * (double)event->n_samples / seconds, unit,
              rate, sizeof rate);
    double left = ((double)event->n_steps - steps) * seconds / steps;
    eta_text(left, eta, sizeof eta);
    snprintf(text, size, "loss %s%s  %s  ETA %s", cli_loss_text(progress->loss / n, loss, 40),
             accuracy, rate, eta);
}

/* Appends to text what fits. */
static size_t append(char *text, size_t size, size_t len, const char *part)
{
    size_t n = strlen(part);
    if (len + n < size) {
        memcpy(text + len, part, n + 1);
        return len + n;
    }
    return len;
}

static size_t append_bar(const struct cli_progress *progress, double done, size_t columns,
                         char *text, size_t size, size_t len)
{
    size_t filled = (size_t)(done * (double)columns);
    len = append(text, size, len, progress->color ? "\033[32m" : "");
    for (size_t i = 0; i < columns; i++) {
        if (i == filled) {
            len = append(text, size, len, progress->color ? "\033[90m" : "");
        }
        const char *full = progress->utf8 ? "\u2501" : "#";
        const char *rest = progress->utf8 ? (progress->color ? "\u2501" : " ") : "-";
        len = append(text, size, len, i < filled ? full : rest);
    }
    return append(text, size, len, progress->color ? "\033[0m" : "");
}

size_t cli_progress_text(const struct cli_progress *progress, const weft_event *event, size_t width,
                         char *text, size_t size)
{
    double done = event->n_steps > 0 ? (double)event->step / (double)event->n_steps : 1;
    size_t epoch = event->epoch < event->n_epochs ? event->epoch + 1 : event->n_epochs;
    int digits = snprintf(NULL, 0, "%zu", event->n_epochs);
    char left[80], right[200];
    snprintf(left, sizeof left, "epoch %*zu/%zu %3.0f %% ", digits, epoch, event->n_epochs,
             floor(100 * done));
    measures(progress, event, width >= ROOMY ? " samples/s" : "/s", right, sizeof right);
    size_t columns = strlen(left) + strlen(right) + 1;
    text[0] = '\0';
    size_t len = append(text, size, 0, left);
    if (columns + BAR_LEAST <= width) {
        size_t bar = width - columns < BAR_MOST ? width - columns : BAR_MOST;
        len = append_bar(progress, done, bar, text, size, len);
        len = append(text, size, len, " ");
        columns += bar;
    } else {
        columns--;
    }
    append(text, size, len, right);
    if (columns > width) { /* plain ASCII then: there is no bar in it */
        text[width] = '\0';
        columns = width;
    }
    return columns;
}

void cli_progress_clear(struct cli_progress *progress)
{
    if (progress->drawn) {
        fputs("\r\033[K", stderr);
        progress->drawn = false;
    }
}

static void draw(struct cli_progress *progress, const weft_event *event)
{
    /* The last column stays free: writing into it may wrap the line. The cursor waits at the left,
     * so that the terminal's ^C is rubbed out with the bar. */
    char text[1024];
    cli_progress_text(progress, event, terminal_width() - 1, text, sizeof text);
    fprintf(stderr, "\r%s\033[K\r", text);
    progress->drawn = true;
}

static void print_score(const char *name, const weft_score *score)
{
    char loss[40];
    if (!score->known) {
        return;
    }
    fprintf(stderr, "  %sloss %s", name, cli_loss_text(score->loss, loss, sizeof loss));
    if (!isnan(score->accuracy)) {
        fprintf(stderr, "  %saccuracy %5.2f %%", name, 100 * score->accuracy);
    }
}

static void print_line(struct cli_progress *progress, const weft_event *event)
{
    char duration[40];
    int digits = snprintf(NULL, 0, "%zu", event->n_epochs);
    cli_progress_clear(progress);
    fprintf(stderr, "epoch %*zu/%zu", digits, event->epoch, event->n_epochs);
    print_score("", &event->train);
    print_score("val ", &event->val);
    print_score("test ", &event->test);
    fprintf(stderr, "  lr %.3g  %s\n", event->lr,
            cli_duration_text(event->seconds, duration, sizeof duration));
}

void cli_progress_event(struct cli_progress *progress, const weft_event *event)
{
    switch (event->kind) {
    case WEFT_EVENT_RUN_STARTED:
        break;
    case WEFT_EVENT_STEP:
        progress->loss += event->train.loss;
        progress->accuracy += event->train.accuracy;
        progress->n_batches++;
        if (progress->bar && event->seconds >= progress->due) {
            draw(progress, event);
            progress->due = event->seconds + seconds_between;
        }
        break;
    case WEFT_EVENT_EPOCH:
        if (!progress->quiet && (event->epoch % progress->every == 0 || event->last)) {
            print_line(progress, event);
        }
        progress->loss = 0;
        progress->accuracy = 0;
        progress->n_batches = 0;
        break;
    case WEFT_EVENT_RUN_FINISHED:
        cli_progress_clear(progress);
        break;
    }
}
