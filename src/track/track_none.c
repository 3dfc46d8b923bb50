/* The calls of track.h in a build without libcurl: weft_track_check() and weft_track_sync() say so,
 * and no other is reached then. */
#include "base/fail.h"
#include "track/track.h"

static weft_status unsupported(weft_error *err)
{
    return weft_fail(err, WEFT_ERR_UNSUPPORTED,
                     "tracking: this build has no libcurl; install it (Debian: "
                     "libcurl4-openssl-dev) and build with -DWEFT_WITH_CURL=ON");
}

bool weft_track_available(void)
{
    return false;
}

weft_status weft_track_check(const struct weft_track_target *target, weft_error *err)
{
    (void)target;
    return unsupported(err);
}

weft_status weft_track_start(const struct weft_track_target *target,
                             const struct weft_track_run *run, weft_tracker **out, weft_error *err)
{
    (void)target, (void)run, (void)out;
    return unsupported(err);
}

void weft_track_event(weft_tracker *tracker, const weft_event *event)
{
    (void)tracker, (void)event;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): where there is curl it is written to */
bool weft_track_warning(weft_tracker *tracker, char *text, size_t size)
{
    (void)tracker, (void)text, (void)size;
    return false;
}

void weft_track_end(weft_tracker *tracker, const struct weft_track_end *end)
{
    (void)tracker, (void)end;
}

bool weft_track_wait(weft_tracker *tracker, double seconds)
{
    (void)tracker, (void)seconds;
    return true;
}

void weft_track_finish(weft_tracker *tracker, struct weft_track_outcome *outcome)
{
    (void)tracker;
    *outcome = (struct weft_track_outcome){0};
}

weft_status weft_track_sync(const char *dir, const struct weft_track_target *target, double seconds,
                            weft_track_patience *patience, void *user,
                            struct weft_track_outcome *outcome, weft_error *err)
{
    (void)dir, (void)target, (void)seconds, (void)patience, (void)user, (void)outcome;
    return unsupported(err);
}
