"""What a network looks at: channel attention, attribution on the spectrum, and whether either can be trusted."""

from racnet_tools.explain.ablation import ablate_blocks, ablate_channels, forced_logits
from racnet_tools.explain.attention import (
    attention_against,
    attention_by,
    attention_table,
    channel_numbers,
    joined_weights,
    spectrum_attention,
)
from racnet_tools.explain.channels import (
    Excitation,
    ReceptiveField,
    attention_profile,
    channel_profiles,
    excited_most,
    receptive_field,
    receptive_fields_table,
)
from racnet_tools.explain.separation import benjamini_hochberg, epsilon_squared, separation, trend
from racnet_tools.explain.variants import compare_attention, kernel_alignment, match_channels

__all__ = [
    "Excitation",
    "ReceptiveField",
    "ablate_blocks",
    "ablate_channels",
    "attention_against",
    "attention_by",
    "attention_profile",
    "attention_table",
    "benjamini_hochberg",
    "channel_numbers",
    "channel_profiles",
    "compare_attention",
    "epsilon_squared",
    "excited_most",
    "forced_logits",
    "joined_weights",
    "kernel_alignment",
    "match_channels",
    "receptive_field",
    "receptive_fields_table",
    "separation",
    "spectrum_attention",
    "trend",
]
