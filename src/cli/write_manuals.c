/* A program of the build: writes the manual pages and completion scripts into a directory that is
 * there, for `cmake --install`.
 * usage: weft_manuals DIRECTORY */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/mem.h"
#include "base/safefile.h"
#include "cli/inputs.h"
#include "cli/manual.h"

/* Either a page, or all of a shell: the first that is not NULL. */
struct document {
    const struct cli_command *command;
    weft_status (*completion)(FILE *stream, weft_error *err);
};

static weft_status print_document(const struct document *document, FILE *stream, weft_error *err)
{
    if (document->completion != NULL) {
        return document->completion(stream, err);
    }
    if (document->command == NULL) {
        cli_print_program_manual(stream);
        return WEFT_OK;
    }
    if (document->command->modes != NULL) {
        cli_print_modes_manual(document->command, stream);
        return WEFT_OK;
    }
    struct cli_call call;
    weft_status status = cli_call_init(&call, document->command, err);
    if (status == WEFT_OK) {
        cli_print_command_manual(&call, stream);
        cli_call_release(&call);
    }
    return status;
}

static weft_status write_document(const struct document *document, const char *directory,
                                  const char *name, weft_error *err)
{
    char *path = cli_join_path(directory, name);
    if (path == NULL) {
        return weft_fail_nomem(err, "a file name");
    }
    struct weft_safefile file;
    weft_status status = weft_safefile_open(&file, path, err);
    if (status == WEFT_OK) {
        status = print_document(document, file.stream, err);
        if (status == WEFT_OK) {
            status = weft_safefile_commit(&file, err);
        } else {
            weft_safefile_abort(&file);
        }
    }
    weft_mem_free(path);
    return status;
}

/* "weft-bench-step.1", ...; modes too. */
static weft_status write_pages(const struct cli_command *const *list, const char *directory,
                               weft_error *err)
{
    weft_status status = WEFT_OK;
    for (; *list != NULL && status == WEFT_OK; list++) {
        char name[80];
        snprintf(name, sizeof name, "weft-%s.1", (*list)->name);
        for (char *c = name; *c != '\0'; c++) {
            *c = *c == ' ' ? '-' : *c;
        }
        status = write_document(&(struct document){.command = *list}, directory, name, err);
        if (status == WEFT_OK && (*list)->modes != NULL) {
            status = write_pages((*list)->modes, directory, err);
        }
    }
    return status;
}

int main(int argc, char **argv)
{
    static const struct document program = {0}, bash = {.completion = cli_print_bash_completion},
                                 zsh = {.completion = cli_print_zsh_completion};
    if (argc != 2) {
        fputs("usage: weft_manuals DIRECTORY\n", stderr);
        return CLI_USAGE;
    }
    weft_error err;
    weft_status status = write_document(&program, argv[1], "weft.1", &err);
    if (status == WEFT_OK) {
        status = write_pages(cli_commands, argv[1], &err);
    }
    if (status == WEFT_OK) {
        status = write_document(&bash, argv[1], "weft.bash", &err);
    }
    if (status == WEFT_OK) {
        status = write_document(&zsh, argv[1], "_weft", &err);
    }
    return status == WEFT_OK ? CLI_DONE : cli_fail(NULL, CLI_FAILED, &err);
}
