/** weft: fully connected neural networks, trained in parallel. Includes every public header. */
#ifndef WEFT_WEFT_H
#define WEFT_WEFT_H

#include <weft/activation.h>
#include <weft/checkpoint.h>
#include <weft/columns.h>
#include <weft/context.h>
#include <weft/convert.h>
#include <weft/dataset.h>
#include <weft/evaluate.h>
#include <weft/export.h>
#include <weft/model.h>
#include <weft/net.h>
#include <weft/norm.h>
#include <weft/optimizer.h>
#include <weft/output.h>
#include <weft/scaling.h>
#include <weft/schedule.h>
#include <weft/shuffle.h>
#include <weft/status.h>
#include <weft/summary.h>
#include <weft/targets.h>
#include <weft/tensor.h>
#include <weft/train.h>
#include <weft/version.h>

#endif
