/* Being asked to stop: the first SIGINT, SIGTERM or SIGHUP sets a flag that the program looks at
 * between two steps; the second ends it at once. */
#ifndef WEFT_CLI_STOP_SIGNAL_H
#define WEFT_CLI_STOP_SIGNAL_H

/* Installs the handler. Signals that are ignored, as under nohup, stay ignored. */
void cli_stop_install(void);

/* The first signal that came, or 0. */
int cli_stop_signal(void);

/* Between the two, as a file is being written, the second signal waits. */
void cli_stop_hold(void);
void cli_stop_release(void);

#endif
