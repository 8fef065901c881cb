"""Spectra of one object."""

import math

from racnet_tools.readers.objects import merge_objects


def test_visits_a_second_of_arc_apart_are_one_object_everywhere_on_the_sky():
    for ra, dec in [(0.0, 0.0), (359.9999, 10.0), (120.0, 60.0), (10.0, -89.9), (200.0, 90.0)]:
        step = 1 / 3600 / max(math.cos(math.radians(dec)), 1e-6)
        near = merge_objects(["a", "b"], [ra, (ra + step) % 360], [dec, dec])
        assert near == ["a", "a"], (ra, dec)


def test_ten_seconds_apart_are_two():
    assert merge_objects(["a", "b"], [50.0, 50.0], [20.0, 20.0 + 10 / 3600]) == ["a", "b"]


def test_unknown_positions_keep_their_names():
    nan = math.nan
    assert merge_objects(["a", "b", "a"], [nan, nan, nan], [nan, nan, nan]) == ["a", "b", "a"]


def test_a_name_follows_its_object():
    assert merge_objects(["a", "b", "b"], [1.0, 1.0, math.nan], [0.0, 0.0, math.nan]) == ["a", "a", "a"]
