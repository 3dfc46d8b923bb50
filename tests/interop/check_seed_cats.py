"""The older project's cat/non-cat job: weft's losses against a float64 NumPy implementation."""

import common
import seed_jobs

if __name__ == "__main__":
    common.main(lambda weft: seed_jobs.compare_losses(weft, seed_jobs.CATS), __doc__)
