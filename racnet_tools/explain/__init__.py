"""What a network looks at: channel attention, attribution on the spectrum, and whether either can be trusted."""

from racnet_tools.explain.ablation import ablate_blocks, ablate_channels, ablate_together, forced_logits
from racnet_tools.explain.attention import (
    attention_against,
    attention_by,
    attention_table,
    channel_numbers,
    joined_weights,
    spectrum_attention,
)
from racnet_tools.explain.attention_set import attention_spectra
from racnet_tools.explain.attribution import Attribution
from racnet_tools.explain.baseline import continuum
from racnet_tools.explain.channels import (
    Excitation,
    ReceptiveField,
    attention_profile,
    block_profiles,
    channel_profiles,
    excited_most,
    receptive_field,
    receptive_fields_table,
)
from racnet_tools.explain.check import Check, checks_table
from racnet_tools.explain.explained import Explained, explain_spectra
from racnet_tools.explain.features import band_falls, feature_falls, feature_shares
from racnet_tools.explain.gradients import grad_cam, integrated_gradients, smooth_grad
from racnet_tools.explain.methods import METHODS, trust_of
from racnet_tools.explain.occlusion import occlude
from racnet_tools.explain.separation import benjamini_hochberg, epsilon_squared, separation, trend
from racnet_tools.explain.trust import Trust, kept_trust, trust_checks
from racnet_tools.explain.variants import compare_attention, kernel_alignment, match_channels

__all__ = [
    "METHODS",
    "Attribution",
    "Check",
    "Excitation",
    "Explained",
    "ReceptiveField",
    "Trust",
    "ablate_blocks",
    "ablate_channels",
    "ablate_together",
    "attention_against",
    "attention_by",
    "attention_profile",
    "attention_spectra",
    "attention_table",
    "band_falls",
    "benjamini_hochberg",
    "block_profiles",
    "channel_numbers",
    "channel_profiles",
    "checks_table",
    "compare_attention",
    "continuum",
    "epsilon_squared",
    "excited_most",
    "explain_spectra",
    "feature_falls",
    "feature_shares",
    "forced_logits",
    "grad_cam",
    "integrated_gradients",
    "joined_weights",
    "kept_trust",
    "kernel_alignment",
    "match_channels",
    "occlude",
    "receptive_field",
    "receptive_fields_table",
    "separation",
    "smooth_grad",
    "spectrum_attention",
    "trend",
    "trust_checks",
    "trust_of",
]
