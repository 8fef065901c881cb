"""What a joint network measures, in words."""

from racnet_tools.inference import measured_words, quality_words
from racnet_tools.inference.words import redshift_words
from racnet_tools.models.quality import QUALITY_BITS


def test_a_redshift_is_told_to_two_digits_of_its_error():
    assert redshift_words(0.088412, 0.00012) == "0.08841 ± 0.00012"
    assert redshift_words(2.4071, 0.0234) == "2.407 ± 0.023"
    assert redshift_words(-0.0003, 3.0) == "-0.00 ± 3.00"
    assert redshift_words(0.5, 0.0) == "0.500000 ± 0.000000"


def test_every_bit_of_quality_has_its_words():
    assert quality_words(0) == []
    assert quality_words(1 + 32) == [QUALITY_BITS["OUTLIER"][1], QUALITY_BITS["REDSHIFT_UNSURE"][1]]
    assert len(quality_words(sum(bit for bit, _ in QUALITY_BITS.values()))) == len(QUALITY_BITS)


def test_stars_alone_have_a_subtype():
    row = {"subtype": None, "subtype_error": None, "z": 0.1, "z_error": 0.001, "prediction_set": "", "quality": 2}
    told = measured_words(row, 0.99)
    assert list(told) == ["redshift", "prediction set", "quality"]
    assert told["prediction set"].startswith("none is likely enough")
    star = measured_words(row | {"subtype": "M3", "subtype_error": 0.94, "prediction_set": "STAR|QSO"}, 0.99)
    assert star["subtype"] == "M3 ± 0.9 subtypes" and star["prediction set"].startswith("STAR or QSO (")
