"""Quantiles within 1.5 % of the exact ones, in memory that never grows."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.reports.latency import LatencyHistogram, LatencyMeter, Quantiles

readings = st.lists(st.floats(min_value=0.1, max_value=1e9), min_size=1, max_size=200)


@given(readings, st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_quantiles_are_close(us, share) -> None:
    """The relative error against the sorted list stays within 1.5 %."""
    histogram = LatencyHistogram()
    for reading in us:
        histogram.record(reading)

    exact = sorted(us)[max(1, math.ceil(share * len(us))) - 1]
    assert exact == pytest.approx(histogram.quantile(share), rel=0.015)
    assert max(us) == histogram.quantiles().max


def test_nothing_measured_is_none() -> None:
    """Null, not 0."""
    assert Quantiles(None, None, None, None) == LatencyHistogram().quantiles()


def test_out_of_range_readings_do_not_escape() -> None:
    """Zero, negative and absurd readings land in the outermost buckets."""
    histogram = LatencyHistogram()
    for us in (0.0, -5.0, 1e12):
        histogram.record(us)

    assert histogram.quantiles().max == 1e12
    assert histogram.quantile(0.5) <= 0.11


def test_a_meter_rolls_by_the_second() -> None:
    """A second's quantiles forget the second before; the session's do not."""
    meter = LatencyMeter()
    meter.record(100.0)
    first, empty = meter.roll(), meter.roll()
    meter.record(10.0)
    second = meter.roll()

    assert (first.max, empty.max, second.max) == (100.0, None, 10.0)
    assert meter.total().max == 100.0
