/* The flags that signals set: a handler can reach nothing but globals. */
#include "cli/stop_signal.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t first_signal, second_signal, held, requested;
static struct timespec first_time; /* written before first_signal, read only after it is set */

/* timeout(1) and the like send a signal to the process and then to its group: what comes so soon
 * after the first is no second thought of anyone. */
static const double one_moment = 0.2;

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGXCPU, SIGUSR1};
static const char *const names[] = {"SIGINT", "SIGTERM", "SIGHUP", "SIGXCPU", "SIGUSR1"};

static double seconds_since_first(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - first_time.tv_sec) +
           1e-9 * (double)(now.tv_nsec - first_time.tv_nsec);
}

static void handle(int number)
{
    if (first_signal == 0) {
        clock_gettime(CLOCK_MONOTONIC, &first_time);
        first_signal = number;
    } else if (seconds_since_first() < one_moment || number == SIGXCPU) {
        return;
    } else if (held) {
        second_signal = number;
    } else {
        _exit(128 + number);
    }
}

static void handle_request(int number)
{
    (void)number;
    requested = 1;
}

void cli_stop_install(void)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction old, action = {.sa_flags = SA_RESTART};
        action.sa_handler = numbers[i] == SIGUSR1 ? handle_request : handle;
        sigfillset(&action.sa_mask); /* the handler runs one at a time */
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN) {
            sigaction(numbers[i], &action, NULL);
        }
    }
}

int cli_stop_signal(void)
{
    return first_signal;
}

bool cli_stop_take_request(void)
{
    bool found = requested != 0;
    requested = 0;
    return found;
}

const char *cli_stop_name(int number)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (numbers[i] == number) {
            return names[i];
        }
    }
    return "a signal";
}

void cli_stop_hold(void)
{
    held = 1;
}

void cli_stop_release(void)
{
    held = 0;
    if (second_signal != 0) {
        _exit(128 + second_signal);
    }
}
