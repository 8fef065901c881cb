"""Attention explorer: which channels a network turns up for which class, what excites them, and what they are worth."""

from racnet_tools.apps.attention.app import AttentionExplorer

__all__ = ["AttentionExplorer"]
