"""The configuration: round trips, and an error for every bad value that says what was received."""

import json
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from racnet_tools.models import NETWORKS, NetworkConfig, build, network_config
from racnet_tools.models.config import ConfigError
from racnet_tools.models.residual_config import ATTENTIONS, HEADS, POOLINGS, SHORTCUTS


@given(
    name=st.sampled_from(["rcnet", "racnet"]),
    n_classes=st.integers(2, 9),
    attention=st.sampled_from(ATTENTIONS),
    filters=st.lists(st.integers(1, 64), min_size=1, max_size=6),
    kernel_size=st.sampled_from([1, 3, 7]),
    shortcut=st.sampled_from(SHORTCUTS),
    pooling=st.sampled_from(POOLINGS),
    head=st.sampled_from(HEADS),
    dropout=st.floats(0, 0.99),
)
def test_round_trip_through_json(name, n_classes, **settings):
    config = network_config(name, n_classes, **settings)
    assert NetworkConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@given(
    name=st.sampled_from(["fc", "cnet", "sscnn"]),
    stages=st.lists(st.tuples(st.integers(1, 64), st.integers(1, 4)), max_size=4),
    dense_units=st.lists(st.integers(1, 999), min_size=1, max_size=3),
    kernel_size=st.integers(1, 20),
)
def test_plain_round_trip_through_json(name, stages, **settings):
    filters, pools = [f for f, _ in stages], [p for _, p in stages]
    config = network_config(name, 3, filters=filters, pool_sizes=pools, **settings)
    assert NetworkConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize("name", list(NETWORKS))
def test_every_network_round_trips_and_says_what_it_is(name):
    config = network_config(name, 4)
    assert NetworkConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    module = NETWORKS[name]
    assert name == module.NAME and module.TITLE in module.__doc__ and re.search("Reference|MNRAS", module.__doc__)


@pytest.mark.parametrize(
    ("settings", "received"),
    [
        ({"pool_sizes": (2,)}, "pool_sizes=(2,)"),
        ({"dense_units": ()}, "dense_units=()"),
        ({"dense_units": 128}, "dense_units=128"),
        ({"kernel_size": 0}, "kernel_size=0"),
        ({"n_pixels": 20}, "n_pixels=20"),
        ({"attention": "paper"}, "['attention']"),
        ({"family": "recurrent"}, "family='recurrent'"),
    ],
)
def test_errors_of_plain_networks_end_in_what_was_received(settings, received):
    with pytest.raises(ConfigError) as caught:
        NetworkConfig.from_dict({**network_config("cnet", 3).to_dict(), **settings})
    assert str(caught.value).endswith(f"Received: {received}")


@pytest.mark.parametrize(
    ("settings", "received"),
    [
        ({"n_classes": 1}, "n_classes=1"),
        ({"n_classes": True}, "n_classes=True"),
        ({"n_classes": 3.0}, "n_classes=3.0"),
        ({"n_pixels": 200}, "n_pixels=200"),
        ({"filters": ()}, "filters=()"),
        ({"filters": (16, 0)}, "filters=(16, 0)"),
        ({"filters": "16"}, "filters='16'"),
        ({"kernel_size": 2}, "kernel_size=2"),
        ({"attention": True}, "attention=True"),
        ({"attention_convolution": "yes"}, "attention_convolution='yes'"),
        ({"shortcut": "none"}, "shortcut='none'"),
        ({"pooling": "min"}, "pooling='min'"),
        ({"head": "flatten"}, "head='flatten'"),
        ({"normalisation": "layer"}, "normalisation='layer'"),
        ({"dropout": 1.0}, "dropout=1.0"),
        ({"input_scale": 0}, "input_scale=0"),
        ({"name": "../x"}, "name='../x'"),
        ({"unheard_of": 1}, "['unheard_of']"),
    ],
)
def test_errors_end_in_what_was_received(settings, received):
    values = {**network_config("racnet", 3).to_dict(), **settings}
    with pytest.raises(ConfigError) as caught:
        NetworkConfig.from_dict(values)
    assert str(caught.value).endswith(f"Received: {received}")


def test_unknown_network_is_refused():
    with pytest.raises(
        ConfigError, match=r"one of \['fc', 'cnet', 'sscnn', 'rcnet', 'racnet', 'racmini', 'racsurvey'\]. Received"
    ):
        build("resnet", n_classes=3)


def test_importing_models_loads_no_keras():
    code = (
        "import sys, racnet_tools.models, racnet_tools.training\n"
        "print([name for name in ('keras', 'tensorflow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
