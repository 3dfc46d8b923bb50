/* Floor 7 below the commands: numbers, hints, option tables, config files, cores, the bar, harness
 * and chart of bench. What the commands do is tested through the program, in tests/cli. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/bench_rounds.h"
#include "cli/config_file.h"
#include "cli/core_count.h"
#include "cli/inputs.h"
#include "cli/memory_size.h"
#include "cli/option_table.h"
#include "cli/progress_bar.h"
#include "cli/scaling_chart.h"
#include "cli/stop_signal.h"
#include "cli/strict_number.h"
#include "cli/suggestion.h"
#include "harness.h"
#include "xml_check.h"

/* Numbers. */

static void whole_numbers(void)
{
    static const struct {
        const char *text;
        uint64_t wanted;
    } good[] = {{"0", 0}, {"007", 7}, {"18446744073709551615", UINT64_MAX}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint64_t got = 1;
        CHECK(cli_parse_whole(good[i].text, &got));
        CHECK_UINT(got, good[i].wanted);
    }
    static const char *const bad[] = {"",     " 1",
                                      "1 ",   "+1",
                                      "-1",   "1.0",
                                      "1e3",  "0x1",
                                      "12ab", "18446744073709551616",
                                      "nan",  "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t got = 42;
        if (!CHECK(!cli_parse_whole(bad[i], &got))) {
            printf(" ('%s')", bad[i]);
        }
        CHECK_UINT(got, 42);
    }
}

static void real_numbers(void)
{
    static const struct {
        const char *text;
        double wanted;
    } good[] = {{"0", 0}, {".5", 0.5}, {"5.", 5}, {"-2.5e-3", -0.0025}, {"+1E2", 100}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        double got = 1;
        CHECK(cli_parse_real(good[i].text, &got));
        CHECK_NEAR(got, good[i].wanted, 0);
    }
    static const char *const bad[] = {"",         ".",     "nan", "inf",   "-inf", "NAN",
                                      "infinity", "0x1p3", "1e",  "1e+",   "1,5",  "1.5 ",
                                      " 1.5",     "1.5f",  "--1", "1e400", "1.2.3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        double got = 42;
        if (!CHECK(!cli_parse_real(bad[i], &got))) {
            printf(" ('%s')", bad[i]);
        }
        CHECK_NEAR(got, 42, 0);
    }
}

/* Hints. */

static void edit_distances(void)
{
    CHECK_UINT(cli_edit_distance("", ""), 0);
    CHECK_UINT(cli_edit_distance("epochs", "epochs"), 0);
    CHECK_UINT(cli_edit_distance("epoch", "epochs"), 1);
    CHECK_UINT(cli_edit_distance("epohcs", "epochs"), 1);
    CHECK_UINT(cli_edit_distance("kitten", "sitting"), 3);
    CHECK_UINT(cli_edit_distance("batch_size", "batch-size"), 0);
    CHECK_UINT(cli_edit_distance("abc", ""), 3);
    char lengthy[80];
    memset(lengthy, 'a', sizeof lengthy - 1);
    lengthy[sizeof lengthy - 1] = '\0';
    CHECK_UINT(cli_edit_distance(lengthy, "a"), SIZE_MAX);
}

static const char *hint_for(const char *typed)
{
    static const char *const names[] = {"lr", "threads", "batch-size", "epochs", "hidden"};
    struct cli_suggestion hint = {.typed = typed};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        cli_suggestion_offer(&hint, names[i]);
    }
    return hint.best == NULL ? "(none)" : hint.best;
}

static void suggestions(void)
{
    CHECK_STR(hint_for("thread"), "threads");
    CHECK_STR(hint_for("batch"), "batch-size");
    CHECK_STR(hint_for("bacth_size"), "batch-size");
    CHECK_STR(hint_for("epoch"), "epochs");
    CHECK_STR(hint_for("Lr"), "lr");
    CHECK_STR(hint_for("colour"), "(none)");
    CHECK_STR(hint_for(""), "(none)");
}

/* Options of every type. */

struct args {
    bool flag, on;
    size_t count, choice;
    uint64_t seed;
    double real;
    char *text, *place;
    struct cli_list counts, choices;
};

static const char *color(size_t index)
{
    static const char *const names[] = {"red", "dark_green", "blue"};
    return names[index];
}

static const struct cli_option first[] = {
    {.name = "place",
     .type = CLI_TEXT,
     .flags = CLI_POSITIONAL,
     .offset = offsetof(struct args, place),
     .metavar = "PLACE",
     .missing = "wanted a PLACE"},
    {.name = "flag", .short_name = 'f', .type = CLI_FLAG, .offset = offsetof(struct args, flag)},
    {.name = "on", .type = CLI_FLAG, .offset = offsetof(struct args, on), .fallback = "true"},
    {.name = "big-count",
     .short_name = 'n',
     .type = CLI_COUNT,
     .offset = offsetof(struct args, count),
     .metavar = "N",
     .word = "full",
     .min = 1,
     .max = 100,
     .fallback = "32"},
};

static const struct cli_option second[] = {
    {.name = "seed", .type = CLI_SEED, .offset = offsetof(struct args, seed), .metavar = "N"},
    {.name = "real",
     .type = CLI_REAL,
     .offset = offsetof(struct args, real),
     .metavar = "F",
     .lo_open = true,
     .hi = 1,
     .fallback = "0.3"},
    {.name = "text", .type = CLI_TEXT, .offset = offsetof(struct args, text), .metavar = "TEXT"},
    {.name = "choice",
     .type = CLI_CHOICE,
     .offset = offsetof(struct args, choice),
     .metavar = "NAME",
     .n_choices = 3,
     .choice = color},
    {.name = "counts",
     .type = CLI_COUNTS,
     .offset = offsetof(struct args, counts),
     .metavar = "LIST",
     .word = "none",
     .min = 1,
     .fallback = "128"},
    {.name = "choices",
     .type = CLI_CHOICES,
     .offset = offsetof(struct args, choices),
     .metavar = "LIST",
     .n_choices = 3,
     .choice = color,
     .fallback = "red"},
    {.name = "secret",
     .type = CLI_FLAG,
     .flags = CLI_NO_CONFIG,
     .offset = offsetof(struct args, flag)},
};

static const struct cli_group groups[] = {
    {"First", "first", first, sizeof first / sizeof *first},
    {"Second", "second", second, sizeof second / sizeof *second},
};

static struct args args;
static struct cli_options options;
static weft_error err;

static void begin(void)
{
    args = (struct args){0};
    CHECK_OK(cli_options_init(&options, groups, 2, &args, &err), &err);
}

static void end(void)
{
    cli_options_release(&options);
}

/* Parses a line of words; a word of its own "''" is the empty one. */
static weft_status parse(const char *line)
{
    static char copy[256];
    static char *words[20];
    int n = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok(copy, " "); word != NULL; word = strtok(NULL, " ")) {
        words[n++] = strcmp(word, "''") == 0 ? word + 2 : word;
    }
    return cli_options_parse(&options, n, words, &err);
}

static void option_forms(void)
{
    begin();
    CHECK_OK(parse("--big-count 7 here --real=0.25 --seed 18446744073709551615 -f --no-on"), &err);
    CHECK_UINT(args.count, 7);
    CHECK_NEAR(args.real, 0.25, 0);
    CHECK_UINT(args.seed, UINT64_MAX);
    CHECK(args.flag);
    CHECK(!args.on);
    CHECK_STR(args.place, "here");
    CHECK_OK(parse("--big_count=full -fn9 --no-flag --on=false --flag=yes"), &err);
    CHECK_UINT(args.count, 9);
    CHECK(args.flag);
    CHECK_OK(parse("-n 100 --big-count full --no_flag"), &err);
    CHECK_UINT(args.count, 0);
    CHECK(!args.flag);
    end();
    begin();
    CHECK_OK(parse("--text --odd -- --flag"), &err);
    CHECK_STR(args.text, "--odd"); /* no option of ours: a value */
    CHECK_STR(args.place, "--flag");
    end();
}

static void option_lists(void)
{
    begin();
    CHECK_UINT(args.counts.n, 1);
    CHECK_UINT(args.counts.items[0], 128);
    CHECK_OK(parse("--counts 3,2,1 --choices blue,dark-green,red --choice dark_green"), &err);
    CHECK_UINT(args.counts.n, 3);
    CHECK_UINT(args.counts.items[2], 1);
    CHECK_UINT(args.choices.n, 3);
    CHECK_UINT(args.choices.items[0], 2);
    CHECK_UINT(args.choices.items[1], 1);
    CHECK_UINT(args.choice, 1);
    CHECK_OK(parse("--counts none"), &err);
    CHECK_UINT(args.counts.n, 0);
    end();
}

static void option_mistakes(void)
{
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"--big-cont 3", "unknown option '--big-cont'; did you mean '--big-count'?"},
        {"--big 3", "did you mean '--big-count'?"},
        {"--no-flagg", "unknown option '--no-flagg'; did you mean '--no-flag'?"},
        {"--zebra", "unknown option '--zebra'; --help lists all"},
        {"--place x", "unknown option '--place'; PLACE is given without a name"},
        {"-x", "unknown option '-x'"},
        {"-real 1", "unknown option '-real'; did you mean '--real'?"},
        {"-3", "unknown option '-3'"},
        {"a b", "unexpected argument 'b'"},
        {"--big-count", "--big-count: wanted a value (N); got the end of the command line"},
        {"--big-count --flag", "--big-count: wanted a value (N); got --flag"},
        {"--big-count 0", "--big-count: wanted a whole number from 1 to 100, or 'full'; got '0'"},
        {"-n 101", "-n: wanted a whole number from 1 to 100, or 'full'; got '101'"},
        {"--big-count -3", "got '-3'"},
        {"--big-count 1.5", "got '1.5'"},
        {"--big-count=", "got ''"},
        {"--big-count ''", "got ''"},
        {"--text ''", "--text: wanted a text that is not empty; got ''"},
        {"--seed 18446744073709551616", "--seed: wanted a whole number below 2^64; got '1844"},
        {"--real 0", "--real: wanted a number above 0 to 1; got '0'"},
        {"--real nan", "got 'nan'"},
        {"--real inf", "got 'inf'"},
        {"--real 0.5x", "got '0.5x'"},
        {"--real 1.01", "got '1.01'"},
        {"--counts 0", "--counts: wanted whole numbers from 1, separated by commas, or 'none'; "},
        {"--counts 1,,2", "got '1,,2'"},
        {"--counts 1,", "got '1,'"},
        {"--choice pink", "--choice: wanted one of red, dark_green, blue; got 'pink'"},
        {"--choices red,bleu", "got 'red,bleu'; did you mean 'blue'?"},
        {"--flag=maybe", "--flag: wanted true or false; got 'maybe'"},
        {"--no-flag=true", "--no-flag: wanted no value; got 'true'"},
        {"--no-real", "unknown option '--no-real'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin();
        CHECK_STATUS(parse(cases[i].line), WEFT_ERR_ARG, &err);
        CHECK_HAS(err.message, cases[i].message);
        end();
    }
}

static void option_missing(void)
{
    begin();
    CHECK_STATUS(cli_options_check_missing(&options, &err), WEFT_ERR_ARG, &err);
    CHECK_STR(err.message, "wanted a PLACE");
    CHECK_OK(parse("x"), &err);
    CHECK_OK(cli_options_check_missing(&options, &err), &err);
    end();
}

static void option_memory(void)
{
    /* Every allocation fails once; nothing may leak or be half set. */
    for (size_t n = 1;; n++) {
        args = (struct args){0};
        size_t before = weft_mem_count();
        weft_mem_fail_at(n);
        weft_status status = cli_options_init(&options, groups, 2, &args, &err);
        if (status == WEFT_OK) {
            status = parse("--counts 3,2 --choices red,blue --text word there");
            end();
        }
        bool reached = weft_mem_count() - before >= n;
        weft_mem_fail_at(0);
        if (!reached) {
            CHECK_OK(status, &err);
            break;
        }
        CHECK_STATUS(status, WEFT_ERR_NOMEM, &err);
    }
}

/* Config files. */

static weft_status read_config(const char *text)
{
    const char *path = harness_write_file("some.ini", text, strlen(text));
    return cli_config_read(&options, path, &err);
}

static void config_values(void)
{
    begin();
    CHECK_OK(read_config("\xEF\xBB\xBF# comment\r\n; other\r\nbig_count = full\r\n[second]\r\n"
                         " real=0.5 ; half\r\ntext = \"a # \\\"b\\\" \"  # end\r\n"
                         "counts = 3, 2\r\nchoice = dark-green\r\n[ first ] # again\r\n"
                         "on = off\r\nplace = C#\r\n"),
             &err);
    CHECK_UINT(args.count, 0);
    CHECK_NEAR(args.real, 0.5, 0);
    CHECK_STR(args.text, "a # \"b\" ");
    CHECK_UINT(args.counts.n, 2);
    CHECK_UINT(args.counts.items[1], 2);
    CHECK_UINT(args.choice, 1);
    CHECK(!args.on);
    CHECK_STR(args.place, "C#");
    CHECK_INT(cli_options_origin(&options, &args.real), CLI_BY_CONFIG);
    CHECK_INT(cli_options_origin(&options, &args.seed), CLI_BY_DEFAULT);
    CHECK_OK(read_config("text =\n"), &err);
    CHECK(args.text == NULL); /* empty: not given */
    end();
}

static void command_line_wins(void)
{
    begin();
    CHECK_OK(parse("--real 0.1 --text mine --counts none there"), &err);
    CHECK_OK(read_config("real = 0.9\ntext = yours\ncounts = 5,6\nseed = 4\nplace = here\n"), &err);
    CHECK_NEAR(args.real, 0.1, 0);
    CHECK_STR(args.text, "mine");
    CHECK_UINT(args.counts.n, 0);
    CHECK_UINT(args.seed, 4);
    CHECK_STR(args.place, "there");
    CHECK_INT(cli_options_origin(&options, &args.real), CLI_BY_COMMAND_LINE);
    CHECK_STATUS(read_config("real = nonsense\n"), WEFT_ERR_ARG, &err); /* checked all the same */
    end();
}

static void config_mistakes(void)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"raeal = 1\n", "some.ini:1: unknown key 'raeal'; did you mean 'real'?"},
        {"bigcount = 1\n", "did you mean 'big_count'?"},
        {"secret = true\n", "some.ini:1: unknown key 'secret'"},
        {"\n[secnd]\n", "some.ini:2: unknown section 'secnd'; did you mean 'second'?"},
        {"[first\n", "some.ini:1: wanted [section]; got '[first'"},
        {"[first]\nreal = 1\n", "some.ini:2: 'real' belongs in section [second]; got [first]"},
        {"real = 1\n\nreal = 1\n", "some.ini:3: 'real' is already set in line 1"},
        {"real\n", "some.ini:1: wanted 'key = value'; got 'real'"},
        {"= 1\n", "some.ini:1: wanted 'key = value'; got '= 1'"},
        {"real = nan\n", "some.ini:1: real: wanted a number above 0 to 1; got 'nan'"},
        {"real =\n", "some.ini:1: real: wanted a number above 0 to 1; got ''"},
        {"counts =", "some.ini:1: counts: wanted"},
        {"text = \"open\n", "some.ini:1: wanted one quoted value"},
        {"text = \"a\" b\n", "some.ini:1: wanted one quoted value"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin();
        CHECK_STATUS(read_config(cases[i].text), WEFT_ERR_ARG, &err);
        CHECK_HAS(err.message, cases[i].message);
        end();
    }
}

static void config_files_refused(void)
{
    begin();
    CHECK_STATUS(cli_config_read(&options, "/nonexistent/a.ini", &err), WEFT_ERR_IO, &err);
    CHECK_HAS(err.message, "/nonexistent/a.ini: cannot open the config file: No such file");
    CHECK_STATUS(cli_config_read(&options, harness_temp_dir(), &err), WEFT_ERR_IO, &err);
    CHECK_HAS(err.message, "cannot read the config file: Is a directory");
    const char *binary = harness_write_file("binary.ini", "a\0b", 3);
    CHECK_STATUS(cli_config_read(&options, binary, &err), WEFT_ERR_ARG, &err);
    CHECK_HAS(err.message, "got binary data");
    size_t size = (1 << 20) + 1;
    char *large = malloc(size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(large);
    memset(large, '\n', size);
    const char *path = harness_write_file("large.ini", large, size);
    free(large);
    CHECK_STATUS(cli_config_read(&options, path, &err), WEFT_ERR_ARG, &err);
    CHECK_HAS(err.message, "got more than 1 MiB");
    end();
}

/* What is written reads back to the same values, whatever the texts. */
static void config_round_trip(void)
{
    static const char *const texts[] = {"plain",      " blank ", "a # b",  "#",    ";x",
                                        "say \"hi\"", "\"",      "a;b",    "a ;b", "\\",
                                        "a\nb\tc",    "ends\\",  "\"a\\n", "=",    "[x]"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        begin();
        CHECK_OK(parse("--real 0.1 --counts 3,2 --choices blue,red --no-on --seed 9 -n full"),
                 &err);
        CHECK(cli_text_assign(&args.text, texts[i]));
        char written[600] = "";
        FILE *stream = fmemopen(written, sizeof written, "w");
        CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
        cli_config_write(&options, stream);
        CHECK_INT(fclose(stream), 0);
        CHECK(strstr(written, "secret") == NULL);
        end();
        begin();
        CHECK_OK(read_config(written), &err);
        CHECK_NEAR(args.real, 0.1, 0);
        CHECK_UINT(args.counts.n, 2);
        CHECK_UINT(args.counts.items[0], 3);
        CHECK_UINT(args.choices.items[0], 2);
        CHECK(!args.on);
        CHECK_UINT(args.seed, 9);
        CHECK_UINT(args.count, 0);
        CHECK(args.place == NULL);
        CHECK_STR(args.text, texts[i]);
        end();
    }
}

/* Cores. */

static void omp_threads(void)
{
    CHECK_UINT(cli_omp_threads(NULL), 0);
    CHECK_UINT(cli_omp_threads(""), 0);
    CHECK_UINT(cli_omp_threads("3"), 3);
    CHECK_UINT(cli_omp_threads(" 4 , 2"), 4);
    CHECK_UINT(cli_omp_threads("4096"), 4096);
    CHECK_UINT(cli_omp_threads("4097"), 0);
    CHECK_UINT(cli_omp_threads("99999999999999999999999"), 0);
    CHECK_UINT(cli_omp_threads("two"), 0);
    CHECK_UINT(cli_omp_threads("2x"), 0);
    CHECK_UINT(cli_omp_threads("-1"), 0);
    CHECK_UINT(cli_omp_threads("0"), 0);
}

static void make_group(const char *name, const char *file, const char *content)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", harness_temp_dir(), name);
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0777);
        *slash = '/';
    }
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s", name, file);
    harness_write_file(path, content, strlen(content));
}

static size_t cores_of(const char *proc, const char *root)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", harness_temp_dir(), root);
    return cli_cgroup_cores(harness_write_file("cgroup", proc, strlen(proc)), path);
}

static size_t memory_of(const char *proc, const char *root)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", harness_temp_dir(), root);
    return cli_cgroup_memory(harness_write_file("cgroup", proc, strlen(proc)), path);
}

static void cgroup_memory(void)
{
    make_group("m2/a/b", "memory.max", "max\n");
    make_group("m2/a", "memory.max", "300000000\n");
    make_group("m2", "memory.max", "400000000\n");
    CHECK_UINT(memory_of("0::/a/b\n", "m2"), 300000000); /* from the group above */
    CHECK_UINT(memory_of("0::/a\n", "m2"), 300000000);
    CHECK_UINT(memory_of("0::/gone/too\n", "m2"), 400000000);
    make_group("m1/memory/x", "memory.limit_in_bytes", "123456\n");
    make_group("m1/memory", "memory.limit_in_bytes", "9223372036854771712\n");
    make_group("m1/cpu/y", "memory.limit_in_bytes", "5\n");
    CHECK_UINT(memory_of("9:memory:/x\n4:cpu:/y\n0::/\n", "m1"), 123456);
    CHECK_UINT(memory_of("9:memory:/z\n", "m1"), 0); /* all that there is */
    CHECK_UINT(memory_of("nonsense\n", "m1"), 0);
    CHECK_UINT(cli_cgroup_memory("/nonexistent", "/sys/fs/cgroup"), 0);
    CHECK(cli_granted_memory() >= 1 << 20);
}

static void memory_sizes(void)
{
    static const struct {
        const char *text;
        double bytes;
    } good[] = {{"0", 0},
                {"4096", 4096},
                {"1k", 1024},
                {"300M", 3e2 * 1048576},
                {"1.5G", 1.5 * 1073741824},
                {"2GiB", 2147483648.0},
                {"2GB", 2147483648.0},
                {"1T", 1099511627776.0},
                {"7B", 7}};
    static const char *const bad[] = {
        "", "M", "1 G", "-1", "1e3", "1GG", "1GiBs", "nan", "99999999999999999999G"};
    size_t bytes = 77;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CHECK(cli_parse_memory(good[i].text, &bytes));
        CHECK_NEAR((double)bytes, good[i].bytes, 0);
    }
    bytes = 77;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(!cli_parse_memory(bad[i], &bytes));
    }
    CHECK_UINT(bytes, 77);
    CHECK_STR(cli_memory_text(999).text, "999 bytes");
    CHECK_STR(cli_memory_text(47040000).text, "47.0 MB");
    CHECK_STR(cli_memory_text(123456789).text, "123 MB");
    CHECK_STR(cli_memory_text(999960000).text, "1.0 GB");
}

static void cgroup_quotas(void)
{
    make_group("v2/a/b", "cpu.max", "150000 100000\n");
    make_group("v2/a", "cpu.max", "max 100000\n");
    make_group("v2", "cpu.max", "400000 100000\n");
    CHECK_UINT(cores_of("0::/a/b\n", "v2"), 2); /* 1.5, rounded up */
    CHECK_UINT(cores_of("0::/a\n", "v2"), 4);   /* from the group above */
    CHECK_UINT(cores_of("0::/\n", "v2"), 4);
    CHECK_UINT(cores_of("0::/gone/too\n", "v2"), 4); /* a path of the host's, seen from inside */
    make_group("v1/cpu,cpuacct/x", "cpu.cfs_quota_us", "300000\n");
    make_group("v1/cpu,cpuacct/x", "cpu.cfs_period_us", "100000\n");
    make_group("v1/cpu,cpuacct", "cpu.cfs_quota_us", "-1\n");
    make_group("v1/cpu,cpuacct", "cpu.cfs_period_us", "100000\n");
    make_group("v1/memory/x", "cpu.cfs_quota_us", "100000\n");
    make_group("v1/memory/x", "cpu.cfs_period_us", "100000\n");
    CHECK_UINT(cores_of("9:memory:/x\n4:cpu,cpuacct:/x\n0::/\n", "v1"), 3);
    CHECK_UINT(cores_of("4:cpuset:/x\n9:memory:/x\n", "v1"), 0);
    CHECK_UINT(cores_of("nonsense\n", "v1"), 0);
    CHECK_UINT(cli_cgroup_cores("/nonexistent", "/sys/fs/cgroup"), 0);
    CHECK(cli_default_threads() >= 1);
}

/* Progress. */

static void line_steps(void)
{
    static const size_t cases[][2] = {{0, 1},      {1, 1},         {20, 1},
                                      {21, 2},     {100, 5},       {800, 50},
                                      {2900, 200}, {100000, 5000}, {1000000000, 50000000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_UINT(cli_progress_every(cases[i][0]), cases[i][1]);
    }
}

static void bar_fits(void)
{
    struct cli_progress progress = {.loss = 1.5, .accuracy = 1.8, .n_batches = 2};
    weft_event event = {.kind = WEFT_EVENT_STEP,
                        .epoch = 2,
                        .n_epochs = 10,
                        .step = 50,
                        .n_steps = 200,
                        .steps_per_epoch = 20,
                        .seconds = 2,
                        .n_samples = 60000};
    char text[1024];
    size_t all = cli_progress_text(&progress, &event, 100, text, sizeof text);
    CHECK_UINT(all, strlen(text));
    CHECK_HAS(text, "epoch  3/10  25 % ######-------------------");
    CHECK_HAS(text, " loss 0.7500  accuracy 90.00 %  75k samples/s  ETA 0:06");
    cli_progress_text(&progress, &event, 79, text, sizeof text); /* an ordinary terminal */
    CHECK_HAS(text, "25 % ###----------- loss 0.7500  accuracy 90.00 %  75k/s  ETA 0:06");
    for (size_t width = 1; width < 120; width++) {
        progress.utf8 = width % 2 == 0;
        size_t columns = cli_progress_text(&progress, &event, width, text, sizeof text);
        CHECK(columns <= width);
        size_t seen = 0;
        for (const char *c = text; *c != '\0'; c++) {
            seen += ((unsigned char)*c & 0xC0) != 0x80;
        }
        CHECK_UINT(seen, columns);
    }
    progress.accuracy = (double)NAN;
    progress.color = true;
    cli_progress_text(&progress, &event, 90, text, sizeof text);
    CHECK(strstr(text, "accuracy") == NULL);
    CHECK_HAS(text, "\033[0m loss");
}

/* Signals, each case in a process of its own. */

enum { NOT_STOPPED = 77 };

/* What a child exits with that gets `first`, and then, after a while, `second`. */
static int code_after(int first_signal, double wait, int second_signal, bool hold)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        cli_stop_install();
        raise(first_signal);
        if (hold) {
            cli_stop_hold();
        }
        nanosleep(&(struct timespec){.tv_nsec = (long)(wait * 1e9)}, NULL);
        raise(second_signal);
        int seen = cli_stop_signal();
        if (hold) {
            cli_stop_release();
        }
        _exit(seen == first_signal ? NOT_STOPPED : 1);
    }
    int status = 0;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void two_signals(void)
{
    CHECK_INT(cli_stop_signal(), 0);
    CHECK_INT(code_after(SIGINT, 0.3, SIGTERM, false), 128 + SIGTERM);
    CHECK_INT(code_after(SIGTERM, 0.3, SIGINT, false), 128 + SIGINT);
    CHECK_INT(code_after(SIGHUP, 0.3, SIGINT, true), 128 + SIGINT);
    CHECK_INT(code_after(SIGINT, 0, SIGINT, false), NOT_STOPPED); /* one thing said twice */
}

/* Inputs. */

static void models_by_content(void)
{
    CHECK(!cli_looks_like_model("/nonexistent"));
    CHECK(!cli_looks_like_model(harness_temp_dir()));
    CHECK(!cli_looks_like_model(harness_write_file("short", "\2\0\0\0\0\0\0\0", 8)));
    CHECK(!cli_looks_like_model(harness_write_file("table.csv", "1,2,3\n4,5,6\n", 12)));
    CHECK(!cli_looks_like_model(harness_write_file("cut", "\3\0\0\0\0\0\0\0{}", 10)));
    CHECK(cli_looks_like_model(harness_write_file("model", "\2\0\0\0\0\0\0\0{}", 10)));
}

/* Bench. */

static void quantiles(void)
{
    struct bench_series series = {0};
    struct bench_stats stats = bench_stats_of(&series);
    CHECK_UINT(stats.n, 0);
    CHECK_OK(bench_series_reserve(&series, 11, &err), &err);
    for (size_t i = 0; i < 11; i++) {
        bench_series_add(&series, (double)(i * 7 % 11)); /* 0..10, shuffled */
    }
    stats = bench_stats_of(&series);
    CHECK_UINT(stats.n, 11);
    CHECK_NEAR(stats.min, 0, 0);
    CHECK_NEAR(stats.p10, 1, 1e-12);
    CHECK_NEAR(stats.median, 5, 0);
    CHECK_NEAR(stats.p90, 9, 1e-12);
    CHECK_NEAR(stats.p99, 9.9, 1e-12);
    CHECK_NEAR(stats.max, 10, 0);
    series.n = 2;
    CHECK_NEAR(bench_stats_of(&series).median, 0.5, 1e-12);
    series.n = 1;
    CHECK_NEAR(bench_stats_of(&series).p99, 0, 0);
    bench_series_release(&series);
}

static void time_texts(void)
{
    static const struct {
        double seconds;
        const char *wanted;
    } cases[] = {{1.234e-7, "0.12 us"}, {1.234e-6, "1.23 us"}, {9.994e-6, "9.99 us"},
                 {9.996e-6, "10.0 us"}, {99.94e-6, "99.9 us"}, {99.96e-6, "100 us"},
                 {999.4e-6, "999 us"},  {999.6e-6, "1.00 ms"}, {0.0425, "42.5 ms"},
                 {0.99949, "999 ms"},   {0.9996, "1.00 s"},    {61.5, "61.5 s"},
                 {1234.4, "1234 s"},    {0, "0.00 us"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[32];
        CHECK_STR(bench_time_text(cases[i].seconds, text, sizeof text), cases[i].wanted);
    }
}

/* Counts what the rounds ask for; every repetition "takes" each. */
struct counter {
    struct bench_series series;
    double each;
    size_t n_warm, n_rounds, n;
    bool uneven;
};

static weft_status count_runs(void *state, size_t n, bool warm, weft_error *error)
{
    struct counter *counter = state;
    (void)error;
    for (size_t i = 0; i < n; i++) {
        bench_series_add(&counter->series, counter->each);
    }
    counter->n_warm += warm;
    if (!warm) {
        counter->uneven = counter->uneven || (counter->n_rounds > 0 && counter->n != n);
        counter->n = n;
        counter->n_rounds++;
    }
    return WEFT_OK;
}

static void rounds(void)
{
    struct counter counters[] = {{.each = 1e-5}, {.each = 2e-5}, {.each = 1e9}};
    struct bench_case cases[3];
    for (size_t i = 0; i < 3; i++) {
        cases[i] = (struct bench_case){.state = &counters[i],
                                       .run = count_runs,
                                       .series = &counters[i].series,
                                       .whole = 7,
                                       .group = i == 2};
    }
    struct bench_plan plan = {.seconds = 0.03, .rounds = 5, .quiet = true};
    CHECK_OK(bench_measure(&plan, cases, 3, &err), &err);
    CHECK(plan.rounds_done >= 3);
    for (size_t i = 0; i < 3; i++) {
        CHECK(counters[i].n_warm > 0);
        CHECK_UINT(counters[i].n_rounds, plan.rounds_done);
        CHECK_UINT(counters[i].series.n, plan.rounds_done * counters[i].n);
        CHECK(!counters[i].uneven);
        bench_series_release(&counters[i].series);
    }
    /* 0.03 s / (5 rounds of 3 cases) / 20 us = 100, in whole sevens; the group's slower case
     * decides. Nothing makes a round of fewer than BENCH_FEWEST. */
    CHECK_UINT(counters[0].n, 98);
    CHECK_UINT(counters[1].n, 98);
    CHECK_UINT(counters[2].n, BENCH_FEWEST);
}

static void xml_rules(void)
{
    static const char *const good[] = {
        "<a/>", "<a><!-- < & --></a>",
        "<?xml version=\"1.0\"?>\n<a b=\"1\" c=\"&lt;\"><d/>&amp;</a>\n"};
    static const char *const bad[] = {"",
                                      "text",
                                      "<a>",
                                      "<a></b>",
                                      "<a/><b/>",
                                      "</a>",
                                      "<a/>t",
                                      "<a>&</a>",
                                      "<a>&x;</a>",
                                      "<a b=1/>",
                                      "<a b=\"1/>",
                                      "<a b/>",
                                      "<a b='",
                                      "<a>\x01</a>",
                                      "<a><b></a></b>",
                                      "<a b=\"1\"b=\"2\"/>",
                                      "<a b=\"\" b=\"\"/>",
                                      "<1/>",
                                      "<a",
                                      "<a>1 < 2</a>",
                                      "<a b=\"<\"/>"};
    char why[200];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!CHECK(xml_check(good[i], why, sizeof why))) {
            printf(" (%s: %s)", good[i], why);
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (!CHECK(!xml_check(bad[i], why, sizeof why))) {
            printf(" (%s)", bad[i]);
        }
    }
}

static void print_chart(const struct scaling_chart *chart, char *text, size_t size)
{
    memset(text, 0, size);
    FILE *stream = fmemopen(text, size - 1, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
    scaling_chart_print(chart, stream);
    CHECK_INT(fclose(stream), 0);
}

/* The number behind the n-th occurrence of `mark`. */
static double number_after(const char *text, const char *mark, size_t n)
{
    for (const char *at = strstr(text, mark); at != NULL; at = strstr(at + 1, mark)) {
        if (n-- == 0) {
            return strtod(at + strlen(mark), NULL);
        }
    }
    return (double)NAN;
}

static void charts(void)
{
    static char text[1 << 16];
    char why[200];
    struct scaling_point strong[12], weak[12];
    for (size_t i = 0; i < 12; i++) {
        size_t threads = (size_t)1 << i;
        double speedup = pow((double)threads, 0.8);
        strong[i] = (struct scaling_point){threads, speedup, 0.9 * speedup, 1.1 * speedup};
        weak[i] = (struct scaling_point){threads, (double)threads, 1e-4, 1e4};
    }
    struct scaling_chart chart = {.title = "A <b> & \"c\" \x01 \xff é",
                                  .subtitle = "",
                                  .footer = "]]>",
                                  .strong = {"strong", strong, 0},
                                  .weak = {"weak", weak, 0},
                                  .base = 1};
    for (chart.strong.n = 0; chart.strong.n <= 12; chart.strong.n++) {
        for (chart.weak.n = 0; chart.weak.n <= chart.strong.n; chart.weak.n++) {
            print_chart(&chart, text, sizeof text);
            if (!CHECK(xml_check(text, why, sizeof why))) {
                printf(" (%zu, %zu points: %s)", chart.strong.n, chart.weak.n, why);
            }
            CHECK(strstr(text, "nan") == NULL && strstr(text, "inf") == NULL);
        }
    }
    CHECK_HAS(text, "A &lt;b&gt; &amp; &quot;c&quot; ? ? é");
    /* Half the ideal speed-up is a factor of two below the ideal, wherever that is. */
    strong[1] = (struct scaling_point){4, 2, 2, 2};
    chart.strong.n = 2;
    chart.weak.n = 0;
    print_chart(&chart, text, sizeof text);
    CHECK_HAS(text, "strong: 2.00 on 4 (50 %)");
    double x0 = number_after(text, " cx=\"", 0), x1 = number_after(text, " cx=\"", 1);
    double y0 = number_after(text, " cy=\"", 0), y1 = number_after(text, " cy=\"", 1);
    double top = number_after(strstr(text, "line ideal"), "L", 0);
    CHECK(x1 > x0 && y1 < y0);
    CHECK_NEAR(top, x1, 0.2);
    char *corner = strchr(strchr(strstr(text, "line ideal"), 'L'), ' ');
    CHECK_NEAR(y0 - strtod(corner, NULL), 2 * (y0 - y1), 0.3);
}

static void chart_files(void)
{
    struct scaling_point point = {1, 1, 1, 1};
    struct scaling_chart chart = {.title = "t",
                                  .subtitle = "s",
                                  .footer = "f",
                                  .strong = {"strong", &point, 1},
                                  .weak = {"weak", &point, 0},
                                  .base = 1};
    CHECK_STATUS(scaling_chart_write(&chart, "/nonexistent/chart.svg", &err), WEFT_ERR_IO, &err);
    CHECK_HAS(err.message, "/nonexistent/chart.svg");
    const char *path = harness_write_file("chart.svg", "old", 3);
    CHECK_OK(scaling_chart_write(&chart, path, &err), &err);
    static char wanted[1 << 16], got[1 << 16];
    print_chart(&chart, wanted, sizeof wanted);
    FILE *file = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    got[fread(got, 1, sizeof got - 1, file)] = '\0';
    fclose(file);
    CHECK_STR(got, wanted);
    const char *full = harness_device("full");
    if (full != NULL) {
        CHECK_STATUS(scaling_chart_write(&chart, full, &err), WEFT_ERR_IO, &err);
    }
}

static CU_TestInfo number_tests[] = {
    {"whole", whole_numbers},
    {"real", real_numbers},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo hint_tests[] = {
    {"edit distance", edit_distances},
    {"suggestions", suggestions},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo option_tests[] = {
    {"forms", option_forms},     {"lists", option_lists},   {"mistakes", option_mistakes},
    {"missing", option_missing}, {"memory", option_memory}, CU_TEST_INFO_NULL,
};

static CU_TestInfo config_tests[] = {
    {"values", config_values},         {"command line wins", command_line_wins},
    {"mistakes", config_mistakes},     {"files refused", config_files_refused},
    {"round trip", config_round_trip}, CU_TEST_INFO_NULL,
};

static CU_TestInfo core_tests[] = {
    {"OMP_NUM_THREADS", omp_threads},
    {"quotas", cgroup_quotas},
    {"memory of control groups", cgroup_memory},
    {"memory sizes", memory_sizes},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo progress_tests[] = {
    {"line steps", line_steps},
    {"bar fits", bar_fits},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo signal_tests[] = {
    {"two", two_signals},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo input_tests[] = {
    {"models by content", models_by_content},
    CU_TEST_INFO_NULL,
};

static CU_TestInfo bench_tests[] = {
    {"quantiles", quantiles}, {"time texts", time_texts},   {"rounds", rounds}, {"xml", xml_rules},
    {"charts", charts},       {"chart files", chart_files}, CU_TEST_INFO_NULL,
};

static const CU_SuiteInfo suites[] = {
    {"numbers", NULL, NULL, NULL, NULL, number_tests},
    {"hints", NULL, NULL, NULL, NULL, hint_tests},
    {"options", NULL, NULL, NULL, NULL, option_tests},
    {"config", NULL, NULL, NULL, NULL, config_tests},
    {"cores", NULL, NULL, NULL, NULL, core_tests},
    {"progress", NULL, NULL, NULL, NULL, progress_tests},
    {"signals", NULL, NULL, NULL, NULL, signal_tests},
    {"inputs", NULL, NULL, NULL, NULL, input_tests},
    {"bench", NULL, NULL, NULL, NULL, bench_tests},
    CU_SUITE_INFO_NULL,
};

int main(int argc, char **argv)
{
    return harness_main(argc, argv, suites);
}
