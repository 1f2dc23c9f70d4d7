"""`secval bench`: what a policy costs on sample requests, and whether that is within a budget.

Times are wall times of the machine at that moment; what is compared from machine to machine and from day to day is
the ratio to a calibration loop that is timed in turns with the requests.
"""

from secval._bench.arguments import add_arguments
from secval._bench.measure import Settings, measure
from secval._bench.report import Budget, Report, faults, read_report, table
from secval._bench.samples import Sample, SampleError, generated, read_samples

__all__ = [
    "Budget",
    "Report",
    "Sample",
    "SampleError",
    "Settings",
    "add_arguments",
    "faults",
    "generated",
    "measure",
    "read_report",
    "read_samples",
    "table",
]
