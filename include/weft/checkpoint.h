/** Checkpoints: all that training remembers between two steps, in a file from which it goes on as
 *  if it had never stopped, to the same bits. */
#ifndef WEFT_CHECKPOINT_H
#define WEFT_CHECKPOINT_H

#include <stddef.h>

#include <weft/api.h>
#include <weft/net.h>
#include <weft/status.h>
#include <weft/train.h>

/** A text that the caller wants back with a checkpoint. */
typedef struct weft_checkpoint_note {
    const char *key;   /**< of letters, digits, '_' */
    const char *value; /**< UTF-8 */
} weft_checkpoint_note;

/** Writes what the run of an event remembers to `path`, to be called in its listener: weights,
 *  state of the optimiser, average, best epoch, where in the schedule and in the epoch it is,
 *  losses so far, the options, digests of the data, the kernel set. Of random numbers there is
 *  nothing to write but the seed: they are a function of (seed, epoch, sample).
 *  The file is a safetensors file that weft_model_load() reads too, as the network in training;
 *  what else it has are tensors in the same order, named weft.m..., weft.v..., weft.average...,
 *  weft.best..., and metadata; over all there is a checksum. It appears whole or not at all:
 *  temporary file, fsync, rename, fsync of the directory; on failure an older file of that name
 *  stays as it was. Memory is taken for names, not for numbers.
 *  notes may be NULL where n_notes is 0.
 *  WEFT_ERR_ARG: the event has no state (see weft_event). WEFT_ERR_DIVERGED: a parameter or part of
 *  the state is not finite; nothing is written. WEFT_ERR_IO: the file cannot be written. */
WEFT_API WEFT_CHECKED weft_status weft_checkpoint_save(const weft_event *event, const char *path,
                                                       const weft_checkpoint_note *notes,
                                                       size_t n_notes, weft_error *err);

/** Writes the network of the best epoch so far as weft_model_save() would, in a listener as above.
 *  WEFT_ERR_ARG: the run keeps none, or no epoch has ended. */
WEFT_API WEFT_CHECKED weft_status weft_checkpoint_save_best(const weft_event *event,
                                                            const char *path, weft_error *err);

/** A checkpoint in memory, for weft_train_options.resume. */
typedef struct weft_checkpoint weft_checkpoint;

/** Reads a checkpoint. WEFT_ERR_IO: the file cannot be read. WEFT_ERR_FORMAT: it is no checkpoint,
 *  broken, or of another version. Free with weft_checkpoint_free(). */
WEFT_API WEFT_CHECKED weft_status weft_checkpoint_load(const char *path, weft_checkpoint **out,
                                                       weft_error *err);

/** NULL is allowed. */
WEFT_API void weft_checkpoint_free(weft_checkpoint *checkpoint);

/** The network as it was trained so far, which is not the average or the best epoch's. Borrowed. */
WEFT_API const weft_net *weft_checkpoint_net(const weft_checkpoint *checkpoint);

/** The network of the best epoch is copied into `net`, which has the same layers. WEFT_ERR_ARG: the
 *  run kept none, or no epoch had ended. */
WEFT_API WEFT_CHECKED weft_status weft_checkpoint_best(const weft_checkpoint *checkpoint,
                                                       weft_net *net, weft_error *err);

/** Steps made, epochs ended, and the epochs that the run was to have. */
WEFT_API size_t weft_checkpoint_step(const weft_checkpoint *checkpoint);
WEFT_API size_t weft_checkpoint_epoch(const weft_checkpoint *checkpoint);
WEFT_API size_t weft_checkpoint_epochs(const weft_checkpoint *checkpoint);

/** The kernel set that wrote it, such as "avx2". Going on with another one is allowed, but its last
 *  bits may differ. */
WEFT_API const char *weft_checkpoint_isa(const weft_checkpoint *checkpoint);

/** The value of a note, borrowed, or NULL. */
WEFT_API const char *weft_checkpoint_get_note(const weft_checkpoint *checkpoint, const char *key);

#endif
