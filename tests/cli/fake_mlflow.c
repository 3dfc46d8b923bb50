/* fake_mlflow DIR: an HTTP server on 127.0.0.1 that answers as MLflow does, or as the file DIR/mode
 * says it should misbehave. Its port is in DIR/port; every request is a line of DIR/requests:
 * METHOD PATH AUTHORIZATION BODY. What DIR/location holds, if it is there, is where it redirects to
 * and where it says that files go. Ends when the program that started it does. */
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LARGEST = 4 << 20, LIMIT_413 = 1500 };

static char request[LARGEST + 1];
static bool has_experiment, has_run;
static int n_refused;
static pid_t parent;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static bool mode_is(const char *name)
{
    char mode[64] = "ok";
    FILE *stream = fopen("mode", "r");
    if (stream != NULL) {
        if (fscanf(stream, "%63s", mode) != 1) {
            mode[0] = '\0';
        }
        fclose(stream);
    }
    return strcmp(mode, name) == 0;
}

static void send_bytes(int client, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(client, bytes, len);
        if (n <= 0) {
            return;
        }
        bytes += n;
        len -= (size_t)n;
    }
}

static void answer(int client, int code, const char *headers, const char *body)
{
    char head[400];
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 %d Fake\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n", code,
                     strlen(body), headers);
    send_bytes(client, head, (size_t)n);
    send_bytes(client, body, strlen(body));
}

/* A header's value up to the end of its line, or "-". */
static void find_header(const char *name, char *value, size_t size)
{
    snprintf(value, size, "-");
    for (const char *line = strstr(request, "\r\n");
         line != NULL && strncmp(line, "\r\n\r\n", 4) != 0; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, strlen(name)) == 0) {
            const char *start = line + 2 + strlen(name);
            start += strspn(start, ": ");
            snprintf(value, size, "%.*s", (int)strcspn(start, "\r"), start);
        }
    }
}

/* Reads a whole request; the body follows the blank line. */
static char *read_request(int client)
{
    size_t len = 0, wanted = LARGEST;
    char *body = NULL, length[40];
    while (len < wanted && len < LARGEST) {
        ssize_t n = read(client, request + len, LARGEST - len);
        if (n <= 0) {
            break;
        }
        len += (size_t)n;
        request[len] = '\0';
        if (body == NULL && (body = strstr(request, "\r\n\r\n")) != NULL) {
            body += 4;
            find_header("content-length", length, sizeof length);
            wanted = (size_t)(body - request) + strtoul(length, NULL, 10);
        }
    }
    return body;
}

static void write_log(const char *body)
{
    char authorization[200];
    find_header("authorization", authorization, sizeof authorization);
    FILE *stream = fopen("requests", "a");
    if (stream == NULL) {
        die("requests");
    }
    fprintf(stream, "%.*s %s ", (int)strcspn(request, "\r") - 9, request, authorization);
    for (const char *c = body; *c != '\0'; c++) {
        putc(*c >= ' ' && *c <= '~' ? *c : '.', stream);
    }
    putc('\n', stream);
    fclose(stream);
}

static bool asks(const char *part)
{
    const char *line_end = strchr(request, '\r'), *found = strstr(request, part);
    return found != NULL && found < line_end;
}

static bool read_location(char *text, size_t size)
{
    FILE *stream = fopen("location", "r");
    bool found = stream != NULL && fgets(text, (int)size, stream) != NULL;
    if (stream != NULL) {
        fclose(stream);
    }
    text[found ? strcspn(text, "\n") : 0] = '\0';
    return found;
}

/* As a server whose experiment has to be made first. */
static void answer_well(int client)
{
    char text[800], run[500], location[200] = "";
    bool away = mode_is("files_away") && read_location(location, sizeof location);
    snprintf(run, sizeof run,
             "{\"info\":{\"run_id\":\"0123456789abcdef0123456789abcdef\","
             "\"artifact_uri\":\"mlflow-artifacts:%s%s/7/a run/artifacts\"}}",
             away ? "//" : "", location);
    if (asks("/experiments/get-by-name") && !has_experiment) {
        answer(client, 404, "", "{\"error_code\":\"RESOURCE_DOES_NOT_EXIST\",\"message\":\"no\"}");
    } else if (asks("/experiments/get-by-name")) {
        answer(client, 200, "",
               "{\"experiment\":{\"experiment_id\":\"7\",\"lifecycle_stage\":\"active\"}}");
    } else if (asks("/experiments/create")) {
        has_experiment = true;
        answer(client, 200, "", "{\"experiment_id\":\"7\"}");
    } else if (asks("/runs/create")) {
        has_run = true;
        snprintf(text, sizeof text, "{\"run\":%s}", run);
        answer(client, 200, "", text);
    } else if (asks("/runs/search")) {
        snprintf(text, sizeof text, "{\"runs\":[%s]}", has_run ? run : "");
        answer(client, 200, "", text);
    } else if (asks("/runs/log-batch") || asks("/runs/log-inputs") || asks("/runs/update") ||
               asks("/mlflow-artifacts/artifacts/")) {
        answer(client, 200, "", "{}");
    } else {
        answer(client, 404, "", "no such page");
    }
}

static void send_huge(int client)
{
    static char block[1 << 20];
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n";
    memset(block, ' ', sizeof block);
    send_bytes(client, head, strlen(head));
    for (int i = 0; i < 100; i++) {
        send_bytes(client, block, sizeof block);
    }
}

/* A line of a header twice a second, without end. */
static void send_slowly(int client)
{
    static const char head[] = "HTTP/1.1 200 OK\r\n", more[] = "X: y\r\n";
    struct timespec half = {.tv_nsec = 500000000};
    ssize_t n = write(client, head, strlen(head));
    while (n > 0) {
        nanosleep(&half, NULL);
        n = write(client, more, strlen(more));
    }
}

/* 140 letters of two bytes each. */
#define LETTERS_4 "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"
#define LETTERS_28 LETTERS_4 LETTERS_4 LETTERS_4 LETTERS_4 LETTERS_4 LETTERS_4 LETTERS_4
#define LETTERS LETTERS_28 LETTERS_28 LETTERS_28 LETTERS_28 LETTERS_28

/* Answers badly where the mode says so; false: the answer is to be a good one. */
static bool misbehave(int client, const char *body)
{
    static const struct {
        const char *mode;
        int code;
        const char *headers, *body;
    } answers[] = {
        {"500", 500, "", "{\"error_code\":\"INTERNAL_ERROR\",\"message\":\"out of order\"}"},
        {"401", 401, "", "You are not authenticated."},
        {"403", 403, "", "Permission denied"},
        {"redirect", 302, "Location: /again\r\n", ""},
        {"words", 500, "", "{\"error_code\":\"X\",\"message\":\"x" LETTERS "\"}"},
        {"html", 200, "", "<html>welcome</html>"},
        {"malformed", 200, "", "{\"experiment\": [}"},
        {"wrong", 200, "", "{\"experiment\":{\"experiment_id\":{}},\"run\":3}"},
    };
    char headers[300], location[200];
    static const char half[] = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"exp";
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        if (mode_is(answers[i].mode)) {
            answer(client, answers[i].code, answers[i].headers, answers[i].body);
            return true;
        }
    }
    if (mode_is("hang")) {
        char byte;
        while (read(client, &byte, 1) > 0) { /* until the other side goes */
        }
    } else if (mode_is("half")) {
        send_bytes(client, half, strlen(half));
    } else if (mode_is("huge")) {
        send_huge(client);
    } else if (mode_is("413") && strlen(body) > LIMIT_413) {
        answer(client, 413, "", "too large");
    } else if (mode_is("reject") && strstr(body, "\"epochs\"") != NULL) {
        answer(client, 400, "",
               "{\"error_code\":\"INVALID_PARAMETER_VALUE\",\"message\":\"not epochs\"}");
    } else if (mode_is("old") && asks("/log-inputs")) {
        answer(client, 404, "", "no such page");
    } else if (mode_is("end500") && (asks("/runs/update") || asks("/artifacts/"))) {
        answer(client, 500, "", "later");
    } else if (mode_is("busy") && asks("/runs/update") && n_refused < 3) {
        n_refused++;
        answer(client, 503, "Retry-After: 1\r\n", "busy");
    } else if (mode_is("slow_files") && asks("/artifacts/")) {
        send_slowly(client);
    } else if (mode_is("inputs403") && asks("/log-inputs")) {
        answer(client, 403, "", "Permission denied");
    } else if (mode_is("away") && read_location(location, sizeof location)) {
        snprintf(headers, sizeof headers, "Location: http://%s/api\r\n", location);
        answer(client, 307, headers, "");
    } else if (mode_is("lost") &&
               (asks("/runs/create") || strstr(body, "\"metrics\":[{") != NULL)) {
        has_run = true; /* it is made, and nobody hears of it */
    } else {
        return false;
    }
    return true;
}

static void look_for_parent(int number)
{
    (void)number;
    if (getppid() != parent) {
        _exit(0);
    }
    alarm(1);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    signal(SIGPIPE, SIG_IGN);
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = look_for_parent, .sa_flags = SA_RESTART},
              NULL);
    parent = getppid();
    alarm(1);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (argc != 2 || chdir(argv[1]) != 0 || server < 0 ||
        bind(server, (struct sockaddr *)&address, size) != 0 || listen(server, 16) != 0 ||
        getsockname(server, (struct sockaddr *)&address, &size) != 0) {
        die("fake_mlflow");
    }
    FILE *stream = fopen("port.new", "w");
    if (stream == NULL) {
        die("port");
    }
    fprintf(stream, "%d\n", ntohs(address.sin_port));
    if (fclose(stream) != 0 || rename("port.new", "port") != 0) {
        die("port");
    }
    for (;;) {
        int client = accept(server, NULL, NULL);
        const char *body = client >= 0 ? read_request(client) : NULL;
        if (body != NULL) {
            write_log(body);
            if (!misbehave(client, body)) {
                answer_well(client);
            }
        }
        if (client >= 0) {
            close(client);
        }
    }
}
