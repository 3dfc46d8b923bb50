/* Being asked to stop: the first SIGINT, SIGTERM, SIGHUP or SIGXCPU sets a flag that the program
 * looks at between two steps; the second ends it at once. The system sends SIGXCPU every second
 * from the limit on: more of it means no more than the first. SIGUSR1 asks for a checkpoint. */
#ifndef WEFT_CLI_STOP_SIGNAL_H
#define WEFT_CLI_STOP_SIGNAL_H

#include <stdbool.h>

/* Installs the handler. Signals that are ignored, as under nohup, stay ignored. */
void cli_stop_install(void);

/* The first signal that came, or 0. */
int cli_stop_signal(void);

/* Whether SIGUSR1 has come since the last call. */
bool cli_stop_take_request(void);

/* "SIGINT". */
const char *cli_stop_name(int number);

/* Between the two, as a file is being written, the second signal waits. */
void cli_stop_hold(void);
void cli_stop_release(void);

#endif
