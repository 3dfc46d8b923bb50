/* Taking a tracked run out of a directory that another run gets. */
#include <errno.h>
#include <unistd.h>

#include "base/fail.h"
#include "track/track.h"
#include "track/track_spool.h"

static weft_status remove_file(const char *path, weft_error *err)
{
    return unlink(path) == 0 || errno == ENOENT
               ? WEFT_OK
               : weft_fail_errno(err, errno, "%s: cannot remove the older file", path);
}

weft_status weft_track_forget(const char *dir, size_t *n_unsent, weft_error *err)
{
    struct weft_spool spool;
    *n_unsent = 0;
    weft_status status = weft_spool_forget(&spool, dir, err);
    if (status == WEFT_OK && spool.is_locked) {
        *n_unsent = weft_spool_flag(&spool, "done") ? 0 : spool.n_unsent;
        status = remove_file(spool.state_path, err);
        if (status == WEFT_OK) {
            status = remove_file(spool.path, err);
        }
    }
    weft_spool_release(&spool);
    return status;
}
