/* Numbers are read the same under a locale that writes them with a comma; skipped where the system
 * has none and cannot make one (Debian: package locales or locales-all). */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/number.h"
#include "harness.h"
#include "test_data.h"

static locale_t comma_locale;
static const char *comma_name;

/* Whether numbers have commas now; else the tests below would show nothing. */
static bool has_comma(void)
{
    return strtod("1,5", NULL) > 1.25;
}

static void check_reading(void)
{
    CHECK(has_comma());
    double value = 0;
    CHECK_INT(weft_number_double("1.5", 3, &value), WEFT_NUMBER_OK);
    CHECK_NEAR(value, 1.5, 0);
    /* Too many digits for the quick way. */
    CHECK_INT(weft_number_double("0.12345678901234567890123", 25, &value), WEFT_NUMBER_OK);
    CHECK_NEAR(value, 0.12345678901234567890123, 0);
    CHECK_INT(weft_number_double("1,5", 3, &value), WEFT_NUMBER_NOT);
    weft_dataset *data =
        load(write_text("locale.csv", "y,a\n1.5,0.12345678901234567890123\n2.5,1e-30\n"), NULL);
    if (data != NULL) {
        CHECK_INT(weft_dataset_targets(data).kind, WEFT_LABELS_VALUES);
        CHECK_NEAR((double)weft_dataset_targets(data).values[0], 1.5, 0);
        CHECK_NEAR(feature(data, 0, 0), (double)(float)0.12345678901234567890123, 0);
        CHECK_NEAR(feature(data, 1, 0), (double)1e-30f, 0);
        weft_dataset_free(data);
    }
    CHECK(has_comma()); /* and the caller's locale is as it was */
}

static void of_the_thread(void)
{
    locale_t before = uselocale(comma_locale);
    check_reading();
    uselocale(before);
}

static void of_the_process(void)
{
    char *name = setlocale(LC_NUMERIC, comma_name);
    if (CHECK(name != NULL)) {
        check_reading();
    }
    setlocale(LC_NUMERIC, "C");
}

static CU_TestInfo locale_tests[] = {
    {"of the thread", of_the_thread},
    {"of the process", of_the_process},
    CU_TEST_INFO_NULL,
};

static const CU_SuiteInfo suites[] = {
    {"locale", NULL, NULL, NULL, NULL, locale_tests},
    CU_SUITE_INFO_NULL,
};

/* The first locale with a decimal comma. By setlocale: newlocale leaks memory where LOCPATH is set
 * (glibc 2.36). */
static void find_locale(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "es_ES.UTF-8", "it_IT.UTF-8",
                                        "nl_NL.UTF-8", "pl_PL.UTF-8", "ru_RU.UTF-8", "de_DE"};
    for (size_t i = 0; i < sizeof names / sizeof *names && comma_locale == (locale_t)0; i++) {
        comma_name = names[i];
        if (setlocale(LC_NUMERIC, comma_name) != NULL) {
            comma_locale = duplocale(LC_GLOBAL_LOCALE);
        }
    }
    setlocale(LC_NUMERIC, "C");
}

/* Compiles one for this test alone, where Debian's package locales has the source of it. */
static void make_locale(void)
{
    char command[256];
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1",
             harness_temp_dir());
    if (system(command) == 0) {
        setenv("LOCPATH", harness_temp_dir(), 1);
    }
}

int main(int argc, char **argv)
{
    find_locale();
    if (comma_locale == (locale_t)0) {
        make_locale();
        find_locale();
    }
    if (comma_locale == (locale_t)0) {
        puts("SKIPPED: no locale with a decimal comma, and none could be made");
        return 77;
    }
    int result = harness_main(argc, argv, suites);
    freelocale(comma_locale);
    return result;
}
