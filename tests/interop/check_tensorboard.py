"""`weft train --track tensorboard`: event files read back by TensorBoard's own reader: curves as
metrics.jsonl has them, histograms of every layer, the picture; and the same model as without.
"""

import math
import struct

import numpy as np
from tensorboard.backend.event_processing import event_accumulator

import common
from common import require

JOB = [
    common.MNIST, "--hidden", "24,12", "--epochs", 3, "--val", 0.1, "--test-every", 2,
    "--batch-size", 200, "--no-report", "--threads", 2,
]  # fmt: skip
SETS = ["train", "val", "test"]


def read(folder):
    everything = {
        name: 0
        for name in (event_accumulator.SCALARS, event_accumulator.HISTOGRAMS,
                     event_accumulator.COMPRESSED_HISTOGRAMS, event_accumulator.IMAGES)
    }  # fmt: skip
    found = event_accumulator.EventAccumulator(str(folder), size_guidance=everything)
    found.Reload()
    return found


def compare_curves(run, boards):
    lines = common.read_metrics(run)
    for name in SETS:
        for kind in ["loss", "accuracy"]:
            wanted = [
                (line["step"], line[f"{name}_{kind}"]) for line in lines if f"{name}_{kind}" in line
            ]
            points = [(point.step, point.value) for point in boards[name].Scalars(kind)]
            require(len(points) == len(wanted) > 0, f"{name}/{kind}: {points}, wanted {wanted}")
            for (step, value), (wanted_step, wanted_value) in zip(points, wanted):
                require(
                    step == wanted_step and math.isclose(value, wanted_value, rel_tol=1e-6),
                    f"{name}/{kind}: {value} in step {step}, wanted {wanted_value}, {wanted_step}",
                )
    rates = [point.value for point in boards["train"].Scalars("learning rate")]
    require(np.allclose(rates, [line["lr"] for line in lines], rtol=1e-6), f"rates {rates}")
    batches = [point.step for point in boards["train"].Scalars("batch/loss")]
    require(batches == list(range(100, lines[-1]["step"] + 1, 100)), f"batches {batches}")


def compare_histograms(run, board, kind):
    """The last histogram of each layer against the parameters written, where it is of them."""
    from safetensors.numpy import load_file

    tensors = load_file(run / "model.safetensors")
    for layer in range(3):
        for part in ["weight", "bias"]:
            values = tensors[f"{2 * layer}.{part}"].astype(np.float64)
            events = board.Histograms(f"{kind}/layer{layer + 1}.{part}")
            require(len(events) == 3, f"{len(events)} histograms, wanted one of each epoch")
            found = events[-1].histogram_value
            require(found.num == values.size, f"{found.num} values, wanted {values.size}")
            require(sum(found.bucket) == values.size, f"{sum(found.bucket)} in buckets")
            if kind == "parameters":
                wanted = [values.min(), values.max(), values.sum(), (values**2).sum()]
                got = [found.min, found.max, found.sum, found.sum_squares]
                require(np.allclose(got, wanted, rtol=1e-9, atol=1e-12), f"{got}, wanted {wanted}")
                counts, _ = np.histogram(values, bins=30)
                away = np.abs(np.array(found.bucket) - counts).sum()
                require(away <= 4, f"buckets {found.bucket}, wanted {counts}")


def compare_picture(run, board):
    (event,) = board.Images("sample prediction")
    data = (run / "images" / "sample_prediction.png").read_bytes()
    require(event.encoded_image_string == data, "the picture is another")
    size = struct.unpack_from(">II", data, 16)
    require((event.width, event.height) == size, f"{event.width} x {event.height}, wanted {size}")


def check(weft):
    plain = weft.train("plain", *JOB)
    run = weft.train("run", *JOB, "--track", "tensorboard", "--track-gradients")
    model = "model.safetensors"
    require((plain / model).read_bytes() == (run / model).read_bytes(), "tracking changed the model")
    boards = {name: read(run / "tensorboard" / name) for name in SETS}
    compare_curves(run, boards)
    compare_histograms(run, boards["train"], "parameters")
    compare_histograms(run, boards["train"], "gradients")
    compare_picture(run, boards["train"])
    elsewhere = weft.dir / "boards" / "one"
    weft.train("other", *JOB, "--track", f"tensorboard:{elsewhere}")
    require(read(elsewhere / "val").Scalars("loss"), "nothing in a directory of one's own")
    return "TensorBoard reads curves, histograms and the picture"


common.main(check, __doc__)
