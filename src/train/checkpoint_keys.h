/* How the parts of a checkpoint are named in its file. */
#ifndef WEFT_TRAIN_CHECKPOINT_KEYS_H
#define WEFT_TRAIN_CHECKPOINT_KEYS_H

#define WEFT_KEY_CHECKPOINT "weft.checkpoint" /* of what is below: "1" */
#define WEFT_KEY_DATA "weft.digest.data"      /* 16 hexadecimal digits */
#define WEFT_KEY_VAL "weft.digest.val"
#define WEFT_KEY_KERNELS "weft.kernels"
#define WEFT_KEY_PRECISION "weft.precision"
#define WEFT_KEY_NOTE "weft.note." /* with the caller's key */

#define WEFT_CHECKPOINT_FORMAT "1"

/* Of the tensors of each block, by WEFT_BLOCK_... */
extern const char *const weft_checkpoint_prefixes[];

#endif
