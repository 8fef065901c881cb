"""A network or an attention that is added must be registered, documented and covered; this says what is missing."""

import ast
from pathlib import Path

import pytest

import racnet_tools.models
from racnet_tools.models import NETWORKS
from racnet_tools.models.attention import CHANNEL_LAYERS
from racnet_tools.models.network import BODIES
from racnet_tools.models.registry import JOINT_NETWORKS
from racnet_tools.models.residual_config import ATTENTIONS

MODELS = Path(racnet_tools.models.__file__).parent
ROOT = Path(__file__).parents[2]


def modules_with_a_network():
    """Names of the modules that define NAME and SETTINGS."""
    found = []
    for path in sorted(MODELS.glob("*.py")):
        assigned = {
            target.id
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.Assign)
            for item in node.targets
            for target in (item.elts if isinstance(item, ast.Tuple) else [item])
            if isinstance(target, ast.Name)
        }
        if {"NAME", "SETTINGS"} <= assigned:
            found.append(path.stem)
    return found


def test_every_network_module_is_registered():
    assert sorted({**NETWORKS, **JOINT_NETWORKS}) == modules_with_a_network()


@pytest.mark.parametrize("name", list(NETWORKS))
def test_every_network_is_documented_and_covered(name):
    module = NETWORKS[name]
    assert module.CONFIG.family in BODIES, "its family has no body in network.py"
    assert module.TITLE in (ROOT / "README.md").read_text(), "name it in the README"
    assert f'"{name}"' in (ROOT / "tests/models/test_networks.py").read_text(), "its counts belong in test_networks.py"
    assert f'``"{name}"``' in racnet_tools.models.build.__doc__, "name it in the docstring of models.build"


def test_every_attention_has_a_layer_a_description_and_counts():
    assert {"none", *CHANNEL_LAYERS} == set(ATTENTIONS)
    for name, layer in CHANNEL_LAYERS.items():
        assert "Reference" in (layer.__doc__ or ""), f"{layer.__name__} cites nothing"
        assert f'``"{name}"``' in (MODELS / "residual_config.py").read_text(), f"{name} is not described"


def test_the_documentation_says_how():
    text = (ROOT / "docs" / "howto" / "add_a_network.md").read_text(encoding="utf-8")
    assert "## A network" in text and "## A block or an attention" in text
